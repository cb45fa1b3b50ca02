//! Tasks may block their thread, and hold nobody up by it.
#![allow(clippy::unwrap_used)] // helpers of tests, where a failure is a failed test

use std::{
    fs,
    sync::{
        Arc, Barrier,
        atomic::{AtomicBool, Ordering},
        mpsc,
    },
    thread,
    time::Duration,
};

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    task::yield_now,
    time::sleep,
};
use vm_core::Executor;

/// More than a busy machine needs.
const PATIENCE: Duration = Duration::from_secs(20);

#[test]
fn who_blocks_the_thread_that_watches_the_network_is_replaced() {
    // In any order in which its threads come to be.
    for _ in 0..100 {
        let executor = Executor::new().unwrap();
        assert_eq!(executor.block_on(echo(executor.clone())).unwrap(), b'x');
    }
}

/// Blocks until a task that needs the network and the timers is done.
async fn echo(executor: Executor) -> u8 {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let mut client = TcpStream::connect(listener.local_addr().unwrap()).await.unwrap();
    let (mut server, _) = listener.accept().await.unwrap();
    let (echoed, is_echoed) = mpsc::channel();
    drop(executor.spawn(async move {
        let mut byte = [0];
        server.read_exact(&mut byte).await.unwrap();
        sleep(Duration::from_millis(1)).await;
        echoed.send(byte[0]).unwrap();
    }));
    client.write_all(b"x").await.unwrap();
    is_echoed.recv_timeout(PATIENCE).unwrap()
}

#[test]
fn what_a_busy_thread_sets_going_is_done_by_another_at_any_moment() {
    let executor = Executor::new().unwrap();
    for round in 0..1000 {
        let spawner = executor.clone();
        let busy = async move {
            thread::sleep(Duration::from_micros(round * 37 % 4000));
            let (done, is_done) = mpsc::channel();
            drop(spawner.spawn(async move { done.send(()) }));
            is_done.recv_timeout(PATIENCE).unwrap();
        };
        executor.block_on(busy).unwrap();
    }
}

#[test]
fn as_many_tasks_as_there_may_be_threads_block_at_once() {
    const TASKS: usize = 100;
    let executor = Executor::new().unwrap();
    let all = Arc::new(Barrier::new(TASKS));
    let tasks: Vec<_> = (0..TASKS)
        .map(|_| {
            let all = all.clone();
            executor.spawn(async move { all.wait() })
        })
        .collect();
    executor
        .block_on(async move {
            for task in tasks {
                task.await.unwrap();
            }
        })
        .unwrap();
}

#[test]
fn tasks_that_never_rest_do_not_keep_timers_from_going_off() {
    let executor = Executor::new().unwrap();
    let is_over = Arc::new(AtomicBool::new(false));
    let busy: Vec<_> = (0..8)
        .map(|_| {
            let is_over = is_over.clone();
            executor.spawn(async move {
                while !is_over.load(Ordering::Relaxed) {
                    yield_now().await;
                }
            })
        })
        .collect();
    executor
        .block_on(async move {
            sleep(Duration::from_millis(20)).await;
            is_over.store(true, Ordering::Relaxed);
            for task in busy {
                task.await.unwrap();
            }
        })
        .unwrap();
}

#[test]
fn a_task_that_panics_is_an_error_for_who_waits_for_it_and_nobody_else() {
    let executor = Executor::new().unwrap();
    for _ in 0..10 {
        let failed = executor.block_on::<()>(async { panic!("on purpose") });
        assert_eq!(failed.unwrap_err().to_string(), "internal error: a task failed");
    }
    assert_eq!(executor.block_on(async { 1 }).unwrap(), 1);
}

#[test]
fn the_threads_end_with_the_executor() {
    let workers = || {
        let tasks = fs::read_dir("/proc/self/task").unwrap();
        let names = tasks.filter_map(|task| fs::read_to_string(task.ok()?.path().join("comm")).ok());
        names.filter(|name| name.trim_end() == "worker").count()
    };
    for _ in 0..300 {
        let executor = Executor::new().unwrap();
        drop(executor.spawn(async { sleep(Duration::from_secs(3600)).await }));
        executor.block_on(async { sleep(Duration::from_millis(1)).await }).unwrap();
    }
    // Those of the other tests, which may run in the same process, are fewer.
    for _ in 0..1000 {
        if workers() < 300 {
            return;
        }
        thread::sleep(Duration::from_millis(10));
    }
    panic!("{} threads are left", workers());
}
