//! The rows of the table, one file each: how the fixtures are made, and what must become of them.

mod bundles;
mod chains;
mod costly;
mod doubtful;
mod encrypted;
mod foreign;
mod forms;
mod leaves;
mod mismatch;
mod names;
mod odd_files;
mod refused_keys;
mod stores;
mod text;

use super::{case::Case, workshop::Workshop};

/// Makes the fixtures of a row and gives its cases.
pub type Row = fn(&Workshop) -> Vec<Case>;

/// All of them.
pub const ROWS: &[Row] = &[
    forms::row,
    encrypted::row,
    costly::row,
    bundles::row,
    stores::row,
    text::row,
    chains::row,
    leaves::row,
    doubtful::row,
    refused_keys::row,
    foreign::row,
    mismatch::row,
    odd_files::row,
    names::row,
];
