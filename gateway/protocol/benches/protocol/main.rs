//! What the core costs, in time and in allocations. `make bench-protocol` runs it and writes the table in
//! `docs/protocol-benchmarks.md`. `bodies.rs` makes what is measured, `yardsticks.rs` what it is compared with.

mod bodies;
mod messages;
mod streams;
mod yardsticks;

#[global_allocator]
static ALLOCATOR: divan::AllocProfiler = divan::AllocProfiler::system();

fn main() {
    divan::main();
}
