//! Whether one body holds wherever another one does.
//!
//! It does where its variables can be named after the other's so that each of its predicates and conditions
//! is one of the other's, or a looser limit of the same value. That is not all there is to it, and what is
//! found so is always true.

use biscuit_auth::datalog::Binary;

use super::is_binary;
use crate::policy::statement::{Atom, Body, Condition, Slot, Step};
use crate::policy::value::Value;

/// What a variable of the general body stands for.
type Naming = Vec<(u32, Slot)>;

/// Tries, so that no body of many alike predicates takes long.
const TRIES_MAX: usize = 2_000;

/// Whether `general` holds wherever `special` does.
pub(super) fn covers(general: &Body, special: &Body) -> bool {
    general.atoms.len() <= special.atoms.len()
        && search(&general.atoms, general, special, &mut Vec::new(), &mut 0)
}

fn search(
    open: &[Atom],
    general: &Body,
    special: &Body,
    naming: &mut Naming,
    tries: &mut usize,
) -> bool {
    let Some((first, rest)) = open.split_first() else {
        let holds =
            |wanted: &Condition| special.conditions.iter().any(|c| implies(c, wanted, naming));
        return general.conditions.iter().all(holds);
    };
    for atom in &special.atoms {
        *tries += 1;
        if *tries > TRIES_MAX {
            return false;
        }
        let before = naming.len();
        if named(first, atom, naming) && search(rest, general, special, naming, tries) {
            return true;
        }
        naming.truncate(before);
    }
    false
}

fn named(general: &Atom, special: &Atom, naming: &mut Naming) -> bool {
    general.name == special.name
        && general.slots.len() == special.slots.len()
        && general.slots.iter().zip(&special.slots).all(|(own, other)| match own {
            Slot::Is(_) => own == other,
            Slot::Var(variable) => match naming.iter().find(|(known, _)| known == variable) {
                Some((_, slot)) => slot == other,
                None => {
                    naming.push((*variable, other.clone()));
                    true
                }
            },
        })
}

/// Whether one condition of the special body makes one of the general body true.
fn implies(special: &Condition, general: &Condition, naming: &Naming) -> bool {
    let renamed: Vec<Step> = general.steps.iter().map(|step| rename(step, naming)).collect();
    if special.steps == renamed {
        return true;
    }
    let (Some((own, ours, most)), Some((other, theirs, limit))) =
        (limit(&special.steps), limit(&renamed))
    else {
        return false;
    };
    own == other
        && ours == theirs
        && if ours == Side::Above { most <= limit } else { most >= limit }
}

fn rename(step: &Step, naming: &Naming) -> Step {
    match step {
        Step::Var(variable) => match naming.iter().find(|(known, _)| known == variable) {
            Some((_, Slot::Var(other))) => Step::Var(*other),
            Some((_, Slot::Is(value))) => Step::Is(value.clone()),
            None => step.clone(),
        },
        Step::Closure(names, steps) => {
            Step::Closure(names.clone(), steps.iter().map(|step| rename(step, naming)).collect())
        }
        _ => step.clone(),
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Side {
    Above,
    Below,
}

/// `$v <= 5`, as the variable, the side that is limited, and the last value that passes.
fn limit(steps: &[Step]) -> Option<(u32, Side, i64)> {
    let [Step::Var(variable), Step::Is(Value::Int(value)), comparison] = steps else { return None };
    if is_binary(comparison, &Binary::LessOrEqual) {
        Some((*variable, Side::Above, *value))
    } else if is_binary(comparison, &Binary::LessThan) {
        Some((*variable, Side::Above, value.checked_sub(1)?))
    } else if is_binary(comparison, &Binary::GreaterOrEqual) {
        Some((*variable, Side::Below, *value))
    } else if is_binary(comparison, &Binary::GreaterThan) {
        Some((*variable, Side::Below, value.checked_add(1)?))
    } else {
        None
    }
}
