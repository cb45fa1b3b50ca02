# `make demo` and `make test` are all that a newcomer needs; both install what is missing.

.PHONY: demo test bench setup deny

demo: setup
	./demo/run

test: setup
	cargo fmt --all --check
	cargo clippy --workspace --all-targets --locked -- -D warnings
	cargo test --workspace --locked
	./demo/run

# BENCH="--quick --only speed" measures less; bench/README.md says what and how.
TARGET := $(or $(CARGO_TARGET_DIR),target)
bench: setup
	cargo build --release --locked -p vm-system -p vm-bench
	cargo build --release --locked --manifest-path bench/competitors/Cargo.toml --target-dir $(TARGET)/competitors
	$(TARGET)/release/vm-bench $(BENCH)

setup:
	./scripts/setup

# Needs cargo-deny.
deny:
	cargo deny check licenses bans
