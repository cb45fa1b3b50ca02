//! Filling the library cache from a CDN that answers well, badly, late or not at all.

use std::{fs, net::TcpListener, path::Path, process::Stdio};

use crate::{
    binary::{self, Output},
    cdn::{Cdn, Reply},
    daemon::wait_for,
    libs::{FILES, all, catalog_files, command, run_with_npm, statuses},
};

const PATHS: [&str; 6] = [
    "/lodash@4.17.21/lodash.min.js",
    "/moment@2.29.4/min/moment.min.js",
    "/axios@1.6.0/dist/axios.min.js",
    "/ramda@0.29.0/dist/ramda.min.js",
    "/dayjs@1.11.10/dayjs.min.js",
    "/zustand@4.4.7/vanilla.js",
];

const LODASH: &str = PATHS[0];

/// The file that belongs under a path.
fn right(path: &str) -> Vec<u8> {
    let (name, version, ..) = FILES[PATHS.iter().position(|known| *known == path).unwrap()];
    fs::read(Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("libraries/{name}-{version}.js"))).unwrap()
}

/// A CDN that can have the right files.
fn cdn(reply: impl Fn(&str, usize) -> Reply + Send + Sync + 'static) -> Cdn {
    catalog_files();
    Cdn::start(reply)
}

/// Downloads from there alone, where there is no npm.
fn download(folder: &Path, cdn: &Cdn, args: &[&str]) -> Output {
    let mut command = command(folder, &["download", "--cdn", &cdn.url]);
    binary::run(command.args(args).env("PATH", "/nowhere"), "")
}

#[test]
fn the_whole_catalog_comes_from_the_cdn() {
    let folder = tempfile::tempdir().unwrap();
    let cdn = cdn(|path, _| Reply::File(right(path)));
    let output = download(folder.path(), &cdn, &[]);
    let mut expected: String = FILES
        .iter()
        .map(|(name, version, _, bytes)| format!("Downloaded {name}-{version} ({bytes} bytes, cdn)\n"))
        .collect();
    expected += "6 of 6 libraries are in .vm-cache/libraries\n";
    assert_eq!((output.code, output.stdout), (Some(0), expected));
    assert_eq!(statuses(folder.path()), all("cached"));
    assert_eq!(PATHS.map(|path| cdn.asked(path)), [1; 6]);
}

#[test]
fn json_reports_each_library() {
    let folder = tempfile::tempdir().unwrap();
    let cdn = cdn(|path, _| if path == LODASH { Reply::Status(404) } else { Reply::File(right(path)) });
    download(folder.path(), &cdn, &["zustand"]);
    let output = download(folder.path(), &cdn, &["lodash", "dayjs", "zustand", "--json"]);
    assert_eq!(output.code, Some(1));
    let report: serde_json::Value = serde_json::from_str(&output.stdout).unwrap();
    assert_eq!(report["path"], ".vm-cache/libraries");
    let libraries = &report["libraries"];
    assert_eq!((&libraries[0]["name"], &libraries[0]["status"]), (&"lodash".into(), &"failed".into()));
    assert!(libraries[0]["error"].as_str().unwrap().contains("404"), "{report}");
    assert_eq!(
        libraries[1],
        serde_json::json!({"name": "dayjs", "version": "1.11.10", "status": "downloaded", "bytes": 7160, "source": "cdn"})
    );
    assert_eq!(libraries[2], serde_json::json!({"name": "zustand", "version": "4.4.7", "status": "cached"}));
}

#[test]
fn what_may_be_better_the_next_time_is_tried_again() {
    let folder = tempfile::tempdir().unwrap();
    let cdn = cdn(|path, before| match (PATHS.iter().position(|known| *known == path).unwrap(), before) {
        (0, 0) => Reply::Status(500),
        (1, 0 | 1) => Reply::Status(429),
        (2, 0) => Reply::Half(right(path)),
        (3, 0) => Reply::Stall(right(path)),
        _ => Reply::File(right(path)),
    });
    let output = download(folder.path(), &cdn, &[]);
    assert_eq!(output.code, Some(0), "{}{}", output.stdout, output.stderr);
    assert_eq!(PATHS.map(|path| cdn.asked(path)), [2, 3, 2, 2, 1, 1]);
    assert_eq!(output.stderr.matches("; trying again\n").count(), 5, "{}", output.stderr);
    assert_eq!(statuses(folder.path()), all("cached"));
}

#[test]
fn wrong_bytes_are_never_accepted_and_never_replaced_by_npm_in_silence() {
    let folder = tempfile::tempdir().unwrap();
    let cdn = cdn(|_, _| Reply::File(b"evil()".to_vec()));
    let output = download(folder.path(), &cdn, &["lodash"]);
    assert_eq!(
        output.stdout,
        "Failed: lodash-4.17.21: what came from cdn is not lodash-4.17.21 as it was published: \
         expected sha256 a9705dfc47c0763380d851ab1801be6f76019f6b67e40e9b873f8b4a0603f7a9, \
         found 1c3d6382239419d430f7f0948e872b9650e7838bcf821ea4dbfc258b0aeb851b; \
         nothing was stored; get it with --via npm\n0 of 1 libraries are in .vm-cache/libraries\n"
    );
    assert_eq!((output.code, cdn.asked(LODASH)), (Some(1), 1));
    assert!(!output.stderr.contains("npm"), "{}", output.stderr);
    assert!(!folder.path().join(".vm-cache").exists());
}

#[test]
fn a_library_that_fails_does_not_stop_the_others() {
    let folder = tempfile::tempdir().unwrap();
    let cdn = cdn(|path, _| match path {
        LODASH => Reply::Status(404),
        path if path == PATHS[1] => Reply::File(vec![b' '; 17 << 20]),
        path => Reply::File(right(path)),
    });
    let output = download(folder.path(), &cdn, &[]);
    assert_eq!(output.code, Some(1));
    let lines: Vec<_> = output.stdout.lines().collect();
    assert_eq!(
        lines[0],
        format!(
            "Failed: lodash-4.17.21: {}{LODASH} answers 404 Not Found; \
             check the address given with --cdn, or get it with --via npm",
            cdn.url
        )
    );
    assert!(lines[1].starts_with("Failed: moment-2.29.4: ") && lines[1].contains("more than"), "{}", lines[1]);
    assert_eq!(lines[6], "4 of 6 libraries are in .vm-cache/libraries");
    assert!(output.stderr.ends_with("Error: 2 of 6 libraries could not be downloaded\n"), "{}", output.stderr);
    assert_eq!(PATHS.map(|path| cdn.asked(path)), [1; 6]);
    assert_eq!(statuses(folder.path())[2..], all("cached")[2..]);
}

#[test]
fn a_cdn_out_of_reach_is_an_error_that_names_it_and_the_other_way() {
    let folder = tempfile::tempdir().unwrap();
    let free = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let url = format!("http://{free}");
    let args = ["download", "lodash", "--via", "cdn", "--cdn", &url];
    let output = binary::run(&mut command(folder.path(), &args), "");
    let failed = output.stdout.lines().next().unwrap();
    assert_eq!(output.code, Some(1));
    assert!(failed.starts_with(&format!("Failed: lodash-4.17.21: {url}{LODASH} cannot be reached: ")), "{failed}");
    assert!(failed.ends_with("; check the network, or get it with --via npm"), "{failed}");
    assert_eq!(output.stderr.matches("; trying again\n").count(), 2, "{}", output.stderr);
}

#[test]
fn where_the_cdn_cannot_be_reached_npm_is_tried_and_that_is_said() {
    let folder = tempfile::tempdir().unwrap();
    let cdn = Cdn::start(|_, _| Reply::Status(503));
    let args = ["download", "zustand", "--cdn", &cdn.url];
    let output = run_with_npm(folder.path(), &args);
    assert!(output.stdout.starts_with("Downloaded zustand-4.4.7 (1874 bytes, npm)\n"), "{}", output.stdout);
    assert_eq!((output.code, cdn.asked(PATHS[5])), (Some(0), 3));
    let said = format!("{}{} cannot be reached: it answers 503 Service Unavailable; trying npm\n", cdn.url, PATHS[5]);
    assert!(output.stderr.contains(&said), "{}", output.stderr);

    let neither = download(folder.path(), &cdn, &["dayjs"]);
    let failed = neither.stdout.lines().next().unwrap();
    assert!(failed.contains("it answers 503 Service Unavailable; and by npm: npm is not installed; "), "{failed}");
    assert_eq!(neither.code, Some(1));
}

#[test]
fn two_downloads_into_one_folder_do_not_disturb_each_other() {
    let folder = tempfile::tempdir().unwrap();
    let cdn = cdn(|path, _| Reply::File(right(path)));
    std::thread::scope(|scope| {
        let both = [(), ()].map(|()| scope.spawn(|| download(folder.path(), &cdn, &[])));
        for output in both.map(|one| one.join().unwrap()) {
            assert!(output.stdout.ends_with("6 of 6 libraries are in .vm-cache/libraries\n"), "{}", output.stdout);
        }
    });
    assert_eq!(statuses(folder.path()), all("cached"));
    assert_eq!(fs::read_dir(folder.path().join(".vm-cache/libraries")).unwrap().count(), 6);
}

#[test]
fn a_download_that_is_killed_leaves_nothing_half_and_can_be_repeated() {
    let folder = tempfile::tempdir().unwrap();
    let cdn = cdn(|path, before| match (path, before) {
        (LODASH, 0) => Reply::Stall(right(path)),
        _ => Reply::File(right(path)),
    });
    let mut command = command(folder.path(), &["download", "lodash", "dayjs", "--cdn", &cdn.url]);
    let mut child = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    let cached = folder.path().join(".vm-cache/libraries/dayjs-1.11.10.js");
    wait_for(|| (cdn.asked(LODASH) == 1 && cached.exists()).then_some(()));
    child.kill().unwrap();
    child.wait().unwrap();
    let status = |name| statuses(folder.path()).into_iter().find(|(known, _)| known == name).unwrap().1;
    assert_eq!((status("lodash-4.17.21"), status("dayjs-1.11.10")), ("missing".into(), "cached".into()));
    let again = download(folder.path(), &cdn, &["lodash", "dayjs"]);
    assert_eq!(
        again.stdout,
        "Downloaded lodash-4.17.21 (73015 bytes, cdn)\nAlready cached: dayjs-1.11.10\n\
         2 of 2 libraries are in .vm-cache/libraries\n"
    );
}
