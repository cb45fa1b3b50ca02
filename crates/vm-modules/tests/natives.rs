//! Only what is granted is there, and nothing that a script passes makes it panic.

mod support;

use std::fs;

use proptest::prelude::*;
use rmpv::Value;
use support::{Session, files, text};
use vm_modules::{DatabaseGrant, ExecGrant, FsGrant, Grants};

#[test]
fn what_is_not_granted_is_not_there() {
    let mut session = Session::new(Grants::default());
    for function in ["fs.readFileSync", "exec.run", "database.query", "net.get", "fs", "", ".", "fs.", "a.b.c"] {
        assert_eq!(session.call(function, &[text("a")]).unwrap_err().code, "ERR_UNKNOWN_FUNCTION", "{function}");
    }
    let mut session = files::session();
    for function in ["fs.openSync", "fs.readFileSync.x", "exec.run", "database.exec"] {
        assert_eq!(session.call(function, &[text("a")]).unwrap_err().code, "ERR_UNKNOWN_FUNCTION", "{function}");
    }
}

fn any_value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Nil),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        "[a-z./\\x00;%' é]{0,12}".prop_map(Value::from),
        any::<Vec<u8>>().prop_map(Value::Binary),
    ];
    leaf.prop_recursive(3, 12, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::Array),
            prop::collection::vec(("encoding|recursive|force|x".prop_map(Value::from), inner), 0..3)
                .prop_map(Value::Map),
        ]
    })
}

const FUNCTIONS: [&str; 12] = [
    "fs.readFileSync",
    "fs.writeFileSync",
    "fs.appendFileSync",
    "fs.existsSync",
    "fs.readdirSync",
    "fs.mkdirSync",
    "fs.statSync",
    "fs.rmSync",
    "database.configure",
    "database.query",
    "database.exec",
    "exec.run",
];

proptest! {
    #[test]
    fn no_bytes_and_no_arguments_make_it_panic(
        bytes in any::<Vec<u8>>(),
        arguments in prop::collection::vec(any_value(), 0..4),
        function in prop::sample::select(FUNCTIONS.to_vec()),
    ) {
        let mut session = Session::new(Grants {
            fs: Some(FsGrant::default()),
            exec: Some(ExecGrant { allow: Some(vec![]) }),
            database: Some(DatabaseGrant::default()),
        });
        let _ = session.call_raw(function, &bytes);
        let _ = session.call(function, &arguments);
        session.call("database.configure", &[text("sqlite"), text(":memory:")]).unwrap();
        let _ = session.call(function, &arguments);
        let secret = fs::read(session.outside("secret"));
        prop_assert_eq!(secret.unwrap(), b"secret");
    }
}
