# `make demo` and `make test` are all that a newcomer needs; both install what is missing.

.PHONY: demo test bench bench-check fuzz soak torture setup deny

demo: setup
	./demo/run

test: setup
	cargo fmt --all --check
	cargo clippy --workspace --all-targets --locked -- -D warnings
	cargo test --workspace --locked
	./demo/run

# BENCH="--quick --only speed" measures less; docs/benchmarks.md says what and how.
TARGET := $(or $(CARGO_TARGET_DIR),target)
bench: setup
	cargo build --release --locked -p vm-system -p vm-bench
	cargo build --release --locked --manifest-path bench/competitors/Cargo.toml --target-dir $(TARGET)/competitors
	$(TARGET)/release/vm-bench $(BENCH)

# KEEP=--keep makes what is counted the baseline.
bench-check: setup
	command -v valgrind >/dev/null || ./scripts/setup valgrind
	cargo build --release --locked -p vm-system -p vm-bench
	$(TARGET)/release/vm-bench --instructions $(KEEP)

# How long each target runs, in seconds.
FUZZ_SECONDS ?= 600

fuzz: setup
	./scripts/fuzz $(FUZZ_SECONDS)

# How long it works, in seconds.
SOAK_SECONDS ?= 1200

soak: setup
	VM_SOAK_SECONDS=$(SOAK_SECONDS) cargo test --locked -p vm-system --test soak -- --nocapture

# How often the daemon is killed.
TORTURE_ROUNDS ?= 1000

torture: setup
	TORTURE_ROUNDS=$(TORTURE_ROUNDS) cargo test --release --locked -p vm-system --test durability kills -- --nocapture

setup:
	./scripts/setup

# Needs cargo-deny.
deny:
	cargo deny check licenses bans
