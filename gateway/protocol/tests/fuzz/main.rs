//! The fuzz targets as tests: over the exchanges in `corpus/` and over what fuzzing has found (`fuzz/regressions`).
//! Recorded exchanges are many: `make fuzz` begins with those, in an optimised build.

#[cfg(test)]
mod cases;
#[cfg(test)]
mod seeds;
#[cfg(test)]
#[path = "../../fuzz/src/lib.rs"]
#[expect(unreachable_pub, reason = "the binaries in fuzz/targets use it too")]
mod targets;
