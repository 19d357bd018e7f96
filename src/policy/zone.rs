//! The zone in which a policy reads the day and the hour.

use farebox_verifier::UnixSeconds;
use jiff::tz::{Disambiguation, TimeZone};
use jiff::{Timestamp, Zoned};

/// A time zone, by its name in the tz database, which farebox brings along.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Zone {
    name: String,
    zone: TimeZone,
}

/// A name is none of the tz database's.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("there is no time zone {name:?}: write it as Europe/Berlin or UTC")]
pub struct ZoneError {
    /// The name.
    pub name: String,
}

/// The day and the hour on the wall.
pub(super) struct Wall {
    pub(super) date: String,
    /// From Monday, which is 0.
    pub(super) weekday: usize,
    pub(super) minute_of_day: i64,
}

impl Zone {
    /// The zone that has no others.
    #[must_use]
    pub fn utc() -> Zone {
        Zone { name: "UTC".to_owned(), zone: TimeZone::UTC }
    }

    /// The zone of this name.
    ///
    /// # Errors
    /// [`ZoneError`] where there is none.
    pub fn parse(name: &str) -> Result<Zone, ZoneError> {
        match jiff::tz::db().get(name) {
            Ok(zone) => Ok(Zone { name: name.to_owned(), zone }),
            Err(_) => Err(ZoneError { name: name.to_owned() }),
        }
    }

    /// Its name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    fn zoned(&self, at: UnixSeconds) -> Zoned {
        let seconds = i64::try_from(at.0.min(UnixSeconds::MAX.0)).unwrap_or(0);
        let stamp = Timestamp::from_second(seconds).unwrap_or(Timestamp::UNIX_EPOCH);
        stamp.to_zoned(self.zone.clone())
    }

    pub(super) fn wall(&self, at: UnixSeconds) -> Wall {
        let zoned = self.zoned(at);
        Wall {
            date: zoned.date().to_string(),
            weekday: usize::try_from(zoned.weekday().to_monday_zero_offset()).unwrap_or(0),
            minute_of_day: i64::from(zoned.hour()) * 60 + i64::from(zoned.minute()),
        }
    }

    /// When this minute of the same day begins. Where a clock jumps over it, the earlier time: a term
    /// never lasts longer for it.
    pub(super) fn minute_of_same_day(&self, at: UnixSeconds, minute: i64) -> Option<UnixSeconds> {
        let date = self.zoned(at).date();
        let (date, minute) = match minute {
            1440 => (date.tomorrow().ok()?, 0),
            minute => (date, minute),
        };
        let hour = i8::try_from(minute / 60).ok()?;
        let minute = i8::try_from(minute % 60).ok()?;
        let wall = date.to_datetime(jiff::civil::Time::new(hour, minute, 0, 0).ok()?);
        let stamp = self
            .zone
            .to_ambiguous_zoned(wall)
            .disambiguate(Disambiguation::Earlier)
            .ok()?
            .timestamp();
        u64::try_from(stamp.as_second()).ok().map(UnixSeconds)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// 2026-11-23T22:30:00Z, a Monday.
    const MONDAY: UnixSeconds = UnixSeconds(1_795_473_000);

    #[test]
    fn a_day_is_the_day_on_the_wall_of_its_zone() {
        let wall = Zone::utc().wall(MONDAY);
        assert_eq!((wall.date.as_str(), wall.weekday, wall.minute_of_day), ("2026-11-23", 0, 1350));
        let wall = Zone::parse("Asia/Tokyo").unwrap().wall(MONDAY);
        assert_eq!((wall.date.as_str(), wall.weekday, wall.minute_of_day), ("2026-11-24", 1, 450));
        assert!(Zone::parse("Europe/Berlim").is_err());
    }

    #[test]
    fn the_last_minute_of_a_day_ends_with_the_day() {
        let end = Zone::utc().minute_of_same_day(MONDAY, 1440);
        assert_eq!(end.map(|end| end.to_string()).as_deref(), Some("2026-11-24T00:00:00Z"));
        let noon = Zone::utc().minute_of_same_day(MONDAY, 720);
        assert_eq!(noon.map(|noon| noon.to_string()).as_deref(), Some("2026-11-23T12:00:00Z"));
    }

    #[test]
    fn where_a_clock_jumps_a_term_ends_no_later_for_it() {
        // Berlin has no 02:30 on 2026-03-29: it is between 01:59 and 03:00, 01:00 UTC.
        let zone = Zone::parse("Europe/Berlin").unwrap();
        let midnight = UnixSeconds(1_774_742_400);
        let end = zone.minute_of_same_day(midnight, 150).unwrap();
        assert!(end <= UnixSeconds(1_774_746_000), "{end}");
    }
}
