//! How hard a search looks, as typed and as told.

use linjin::index::{DEFAULT_RECALL, Effort};

use crate::args;

/// What was asked for, or the default.
pub(crate) fn of(typed: &args::Effort) -> Effort {
    match *typed {
        args::Effort { exact: true, .. } => Effort::Exact,
        args::Effort { ef: Some(ef), .. } => Effort::Ef(ef),
        args::Effort { recall, .. } => Effort::Recall(recall.unwrap_or(DEFAULT_RECALL)),
    }
}

/// In a word or two.
pub(crate) fn words(effort: Effort) -> String {
    match effort {
        Effort::Recall(recall) => format!("recall {recall}"),
        Effort::Ef(ef) => format!("ef {ef}"),
        Effort::Exact => "exact".to_owned(),
    }
}
