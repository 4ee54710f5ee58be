//! Which pictures may come.

use linjin_images::Filter;
use serde::Deserialize;
use utoipa::{IntoParams, ToSchema};

use crate::problem::Problem;

/// Which pictures may come: those with a file that fits all that is set.
#[derive(Clone, Debug, Default, Deserialize, IntoParams, ToSchema)]
#[into_params(parameter_in = Query)]
pub(super) struct Wanted {
    /// Below this folder of the collection
    pub(super) folder: Option<String>,
    /// With this in their path
    pub(super) name: Option<String>,
    /// Taken then or later: 2024, 2024-05 or 2024-05-06
    #[schema(pattern = r"^\d{4}(-\d\d(-\d\d)?)?$")]
    #[param(pattern = r"^\d{4}(-\d\d(-\d\d)?)?$")]
    pub(super) after: Option<String>,
    /// Taken before
    #[schema(pattern = r"^\d{4}(-\d\d(-\d\d)?)?$")]
    #[param(pattern = r"^\d{4}(-\d\d(-\d\d)?)?$")]
    pub(super) before: Option<String>,
    /// At least so many pixels on the shorter side
    pub(super) min_side: Option<u32>,
    /// At most so many pixels on the longer side
    pub(super) max_side: Option<u32>,
    /// Files of at least so many bytes
    pub(super) min_bytes: Option<u64>,
    /// Files of at most so many bytes
    pub(super) max_bytes: Option<u64>,
}

impl Wanted {
    /// As the collection takes it; what is empty is not set.
    pub(super) fn filter(self) -> Result<Filter, Problem> {
        let text = |text: Option<String>| text.filter(|text| !text.is_empty());
        Ok(Filter {
            folder: text(self.folder).map(Into::into),
            name: text(self.name),
            after: date(text(self.after))?,
            before: date(text(self.before))?,
            min_side: self.min_side,
            max_side: self.max_side,
            min_bytes: self.min_bytes,
            max_bytes: self.max_bytes,
        })
    }
}

fn date(date: Option<String>) -> Result<Option<String>, Problem> {
    let fits = |date: &String| {
        let shape: String =
            date.chars().map(|letter| if letter.is_ascii_digit() { '0' } else { letter }).collect();
        ["0000", "0000-00", "0000-00-00"].contains(&shape.as_str())
    };
    match date {
        Some(date) if !fits(&date) => {
            Err(Problem::bad(format!("{date:?} is no date; 2024, 2024-05 and 2024-05-06 are")))
        }
        other => Ok(other),
    }
}
