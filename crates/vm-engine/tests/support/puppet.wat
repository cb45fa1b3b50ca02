;; What every guest imports, and a player: a program is a list of moves, each of eight words, its number and up to seven
;; arguments. The exports are added in Rust.
(import "vm" "report" (func $report (param i32 i32 i32 i32 i32 i32 i32)))
(import "vm" "memory_exhausted" (func $memory_exhausted))
(import "vm" "utc_offset" (func $utc_offset (param f64) (result i32)))
(import "vm" "random" (func $random (param i32 i32)))
(import "vm" "elapsed_ms" (func $elapsed_ms (result f64)))
(import "vm" "time_origin_ms" (func $time_origin_ms (result f64)))
(import "vm" "call" (func $call (param i32 i32 i32 i32) (result i64)))
(import "vm" "take" (func $take (param i32)))
(import "env" "__rquickjs_host_now_us" (func $now (result f64)))
(memory 4)
(global $alloc (mut i32) (i32.const 0x20000))
(global $heap_used (mut i32) (i32.const 0))
(global $resume (mut i64) (i64.const -1))
(func $for_ever (loop $again (i32.store (i32.const 64) (i32.const 1)) (br $again)))
(func $ask_for_ever
  (loop $again
    (drop (call $elapsed_ms)) (drop (call $time_origin_ms)) (drop (call $now)) (drop (call $utc_offset (f64.const nan)))
    (br $again)))
(func $report_for_ever
  (loop $again
    (call $report (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 0))
    (br $again)))
(func $dive (call $dive) (i32.store (i32.const 64) (i32.const 1)))
(func $play (param $at i32) (param $size i32) (result i64)
  (local $end i32) (local $move i32)
  (local.set $end (i32.add (local.get $at) (local.get $size)))
  (loop $next
    (if (i32.ge_u (local.get $at) (local.get $end)) (then (return (i64.const -1))))
    (local.set $move (i32.load (local.get $at)))
    (if (i32.eq (local.get $move) (i32.const 0)) (then
      (return (i64.load offset=4 (local.get $at)))))
    (if (i32.eq (local.get $move) (i32.const 1)) (then
      (call $report (i32.load offset=4 (local.get $at)) (i32.load offset=8 (local.get $at))
        (i32.load offset=12 (local.get $at)) (i32.load offset=16 (local.get $at)) (i32.load offset=20 (local.get $at))
        (i32.load offset=24 (local.get $at)) (i32.load offset=28 (local.get $at)))))
    (if (i32.eq (local.get $move) (i32.const 2)) (then
      (drop (call $call (i32.load offset=4 (local.get $at)) (i32.load offset=8 (local.get $at))
        (i32.load offset=12 (local.get $at)) (i32.load offset=16 (local.get $at))))))
    (if (i32.eq (local.get $move) (i32.const 3)) (then
      (call $take (i32.load offset=4 (local.get $at)))))
    (if (i32.eq (local.get $move) (i32.const 4)) (then
      (call $random (i32.load offset=4 (local.get $at)) (i32.load offset=8 (local.get $at)))))
    (if (i32.eq (local.get $move) (i32.const 5)) (then
      (drop (call $utc_offset (f64.load offset=4 (local.get $at))))))
    (if (i32.eq (local.get $move) (i32.const 6)) (then
      (drop (memory.grow (i32.load offset=4 (local.get $at))))))
    (if (i32.eq (local.get $move) (i32.const 7)) (then
      (i32.store (i32.load offset=4 (local.get $at)) (i32.load offset=8 (local.get $at)))))
    ;; what the exports answer from now on
    (if (i32.eq (local.get $move) (i32.const 8)) (then
      (global.set $alloc (i32.load offset=4 (local.get $at)))
      (global.set $heap_used (i32.load offset=8 (local.get $at)))
      (global.set $resume (i64.load offset=12 (local.get $at)))))
    (if (i32.eq (local.get $move) (i32.const 9)) (then
      (call $memory_exhausted)))
    (local.set $at (i32.add (local.get $at) (i32.const 32)))
    (br $next))
  (unreachable))
