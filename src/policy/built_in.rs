//! The example policies, in the program: what is in force where there is no folder of policies.

use super::cases::Case;
use super::flaw::{PolicyErrors, Warning};
use super::load::{Found, build};
use super::set::PolicySet;
use super::table::Table;
use super::zone::Zone;

/// Files by name, as they stand in `policies/`.
macro_rules! files {
    ($($name:literal),* $(,)?) => {
        &[$(($name, include_str!(concat!("../../policies/", $name)))),*]
    };
}

const POLICIES: &[(&str, &str)] = files![
    "10-per-action-policy.datalog",
    "20-per-action-authorization.datalog",
    "30-per-action-autonomy.datalog",
    "40-action-authorization.datalog",
    "50-action-layer-governance.datalog",
];
const TABLES: &[(&str, &str)] = files![
    "data/account.csv",
    "data/api_scope.csv",
    "data/assigned.csv",
    "data/change_window.csv",
    "data/db_scope.csv",
    "data/deploy_window.csv",
    "data/egress.csv",
    "data/job_secret.csv",
    "data/payee.csv",
    "data/pipeline_secret.csv",
    "data/recipient.csv",
    "data/user.csv",
    "data/vendor.csv",
];
const CATALOGUE: &[(&str, &str)] = files!["actions.toml"];
const TESTS: &[(&str, &str)] = files![
    "tests/10-per-action-policy.toml",
    "tests/20-per-action-authorization.toml",
    "tests/30-per-action-autonomy.toml",
    "tests/40-action-authorization.toml",
    "tests/50-action-layer-governance.toml",
];
/// What stands for the folder in an error.
const NAME: &str = "(built in)";

impl PolicySet {
    /// The example policies.
    ///
    /// # Errors
    /// [`PolicyErrors`] where they cannot be used, which a test keeps from being so.
    pub fn built_in(zone: &Zone) -> Result<(PolicySet, Vec<Warning>), PolicyErrors> {
        let owned = |(name, text): &(&str, &str)| ((*name).to_owned(), (*text).to_owned());
        let mut found = Found {
            policies: POLICIES.iter().map(owned).collect(),
            catalogue: CATALOGUE.first().map(owned),
            ..Found::default()
        };
        for (file, text) in TABLES {
            let name = file.trim_start_matches("data/").trim_end_matches(".csv");
            match Table::read(text.as_bytes(), file) {
                Ok(table) => {
                    found.tables.insert(name.to_owned(), table);
                }
                Err(flaws) => found.flaws.extend(flaws),
            }
        }
        build(found, zone).map_err(|flaws| PolicyErrors::new(NAME, flaws))
    }
}

impl Case {
    /// The tests of the example policies.
    ///
    /// # Errors
    /// [`PolicyErrors`] where they cannot be used, which a test keeps from being so.
    pub fn built_in() -> Result<Vec<Case>, PolicyErrors> {
        let mut cases = Vec::new();
        for (file, text) in TESTS {
            cases.extend(Case::read(file, text).map_err(|f| PolicyErrors::new(NAME, f))?);
        }
        Ok(cases)
    }
}
