//! The engine of cspec: from source text to verdicts and diagnostics.
//!
//! Data flows one way: [`workspace`] (packages and their files) → [`syntax`] → [`index`] → [`ir`] → [`obligations`], which state what is to
//! be shown and ask [`explore`] → [`verdict`] → [`diagnostics`]. A stage never calls an earlier one. The engine knows nothing of terminals,
//! editors or wire formats, and never links against the crates it checks: it reads their text.

pub mod counterexample;
pub mod db;
pub mod diagnostics;
mod doubt;
pub mod explore;
mod fixes;
pub mod index;
pub mod ir;
pub mod mutation;
pub mod obligations;
pub mod plan;
pub mod report;
pub mod results;
pub mod run;
pub mod session;
pub mod syntax;
mod trial;
pub mod verdict;
pub mod workspace;
