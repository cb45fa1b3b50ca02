# `make demo` and `make test` are all that a newcomer needs; both install what is missing.

.PHONY: demo test bench setup deny

demo: setup
	./demo/run

test: setup
	cargo fmt --all --check
	cargo clippy --workspace --all-targets --locked -- -D warnings
	cargo test --workspace --locked
	./demo/run

bench: setup
	cargo run --release --locked -p vm-bench

setup:
	./scripts/setup

# Needs cargo-deny.
deny:
	cargo deny check licenses bans
