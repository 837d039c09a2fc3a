//! The laws of embeddings, over the cases in `corpus/embeddings/` (written by hand after the providers'
//! documentation) and over the recorded traffic in the folder that `FAIRLEAD_CORPUS` names.

#[cfg(test)]
mod laws;
