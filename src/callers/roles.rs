//! Roles: what a caller may ask of an issuer.

use std::fmt;

/// One thing that a caller may do. None contains another: whoever may administer does not thereby mint.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Role {
    /// Ask for grants, and see its own.
    Mint,
    /// Spend and settle, for the audiences that the caller has by name.
    Spend,
    /// Revoke and block.
    Revoke,
    /// Answer requests that wait for people.
    Approve,
    /// See all grants and the record.
    Read,
    /// Change callers, keys and policies.
    Admin,
}

/// All of them, in the order in which they are listed.
pub const ROLES: [Role; 6] =
    [Role::Mint, Role::Spend, Role::Revoke, Role::Approve, Role::Read, Role::Admin];

/// A text names no role.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a role is mint, spend, revoke, approve, read or admin")]
pub struct RoleError;

impl Role {
    /// The word for it, everywhere.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Role::Mint => "mint",
            Role::Spend => "spend",
            Role::Revoke => "revoke",
            Role::Approve => "approve",
            Role::Read => "read",
            Role::Admin => "admin",
        }
    }

    /// The role of this name.
    ///
    /// # Errors
    /// [`RoleError`] where there is none.
    pub fn parse(word: &str) -> Result<Role, RoleError> {
        ROLES.into_iter().find(|role| role.word() == word).ok_or(RoleError)
    }

    fn bit(self) -> u8 {
        match self {
            Role::Mint => 1,
            Role::Spend => 2,
            Role::Revoke => 4,
            Role::Approve => 8,
            Role::Read => 16,
            Role::Admin => 32,
        }
    }
}

/// The roles that a caller holds.
#[derive(Clone, Copy, Default, PartialEq, Eq, Hash)]
pub struct Roles(u8);

impl Roles {
    /// Whether this one is among them.
    #[must_use]
    pub fn holds(self, role: Role) -> bool {
        self.0 & role.bit() != 0
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// These and those.
    #[must_use]
    pub fn and(self, more: Roles) -> Roles {
        Roles(self.0 | more.0)
    }

    /// Each of them, in the order of [`ROLES`].
    pub fn iter(self) -> impl Iterator<Item = Role> {
        ROLES.into_iter().filter(move |role| self.holds(*role))
    }
}

impl FromIterator<Role> for Roles {
    fn from_iter<I: IntoIterator<Item = Role>>(roles: I) -> Roles {
        Roles(roles.into_iter().fold(0, |bits, role| bits | role.bit()))
    }
}

impl fmt::Display for Roles {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.iter().enumerate().try_for_each(|(i, role)| {
            let comma = if i == 0 { "" } else { ", " };
            write!(f, "{comma}{}", role.word())
        })
    }
}

impl fmt::Debug for Roles {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Roles({self})")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_caller_holds_the_roles_that_it_was_given_and_no_other() {
        let roles: Roles = [Role::Read, Role::Mint, Role::Mint].into_iter().collect();
        assert_eq!(roles.iter().collect::<Vec<_>>(), [Role::Mint, Role::Read]);
        assert_eq!(roles.to_string(), "mint, read");
        for role in ROLES {
            assert_eq!(roles.holds(role), matches!(role, Role::Mint | Role::Read));
        }
        assert!(Roles::default().is_empty() && !roles.is_empty());
    }

    #[test]
    fn each_role_is_read_by_its_own_word_alone() {
        for role in ROLES {
            assert_eq!(Role::parse(role.word()), Ok(role));
            assert_eq!(Role::parse(&role.word().to_uppercase()), Err(RoleError));
        }
        assert_eq!(Role::parse(""), Err(RoleError));
    }
}
