//! The laws of the dialects, over the cases in `corpus/dialects/` (written by hand after the providers'
//! documentation) and over the recorded traffic in the folder that `FAIRLEAD_CORPUS` names.

#[cfg(test)]
mod clients;
#[cfg(test)]
mod coverage;
#[cfg(test)]
mod honest_answers;
#[cfg(test)]
mod honesty;
#[cfg(test)]
mod laws;
#[cfg(test)]
mod passages;
#[cfg(test)]
mod support;
