//! A table: `policies/data/NAME.csv`, whose rows are taken by their key, the first column.
//!
//! ```text
//! vendor,status,limit:int
//! acme,active,500000
//! ```
//!
//! A column is of texts unless its name says otherwise: `:int`, `:flag`, `:date`.

use std::collections::{BTreeSet, HashMap};
use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

use farebox_verifier::UnixSeconds;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use super::flaw::{Flaw, FlawKind, Place};
use super::value::{Kind, Value};
use crate::limits::{CELL_BYTES_MAX, FACT_VALUES_MAX, TABLE_BYTES_MAX, TABLE_ROWS_MAX};

/// One table.
#[derive(Debug)]
pub(super) struct Table {
    pub(super) file: String,
    pub(super) columns: Vec<Column>,
    rows: HashMap<Value, Vec<Box<[Value]>>>,
    count: usize,
}

/// A column of a table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Column {
    pub(super) name: String,
    pub(super) kind: Kind,
}

impl Table {
    /// Reads a table. What is wrong with it is said of each row, up to a number of them.
    pub(super) fn load(path: &Path, file: &str) -> Result<Table, Vec<Flaw>> {
        let unreadable = |error: io::Error| {
            vec![Flaw::new(
                FlawKind::Unreadable,
                Place::file(file),
                format!("cannot be read: {error}"),
            )]
        };
        let open = File::open(path).map_err(unreadable)?;
        let len = open.metadata().map_err(unreadable)?.len();
        if len > TABLE_BYTES_MAX {
            let message = format!("has over {TABLE_BYTES_MAX} bytes");
            return Err(vec![Flaw::new(FlawKind::Limit, Place::file(file), message)]);
        }
        Table::read(open, file)
    }

    /// Reads a table from anywhere.
    pub(super) fn read(from: impl Read, file: &str) -> Result<Table, Vec<Flaw>> {
        let mut reader = csv::ReaderBuilder::new().comment(Some(b'#')).from_reader(from);
        let header = reader.headers().map_err(|why| vec![broken(file, &why)])?.clone();
        let columns = columns(&header, file).map_err(|flaw| vec![flaw])?;
        let mut table = Table { file: file.to_owned(), columns, rows: HashMap::new(), count: 0 };
        let mut flaws = Vec::new();
        let mut record = csv::StringRecord::new();
        loop {
            match reader.read_record(&mut record) {
                Ok(false) => break,
                Ok(true) => match table.row(&record) {
                    Ok(row) => table.add(row),
                    Err(flaw) => flaws.push(flaw),
                },
                Err(why) => flaws.push(broken(file, &why)),
            }
            const FLAWS_MAX: usize = 20;
            if flaws.len() >= FLAWS_MAX {
                break;
            }
            if table.count > TABLE_ROWS_MAX {
                let message = format!("has over {TABLE_ROWS_MAX} rows");
                flaws.push(Flaw::new(FlawKind::Limit, Place::file(file), message));
                break;
            }
        }
        table.close();
        if flaws.is_empty() { Ok(table) } else { Err(flaws) }
    }

    fn row(&self, record: &csv::StringRecord) -> Result<Box<[Value]>, Flaw> {
        let line = record.position().map_or(0, csv::Position::line);
        let line = usize::try_from(line).unwrap_or(usize::MAX);
        let shown: Vec<&str> = record.iter().collect();
        let place = || Place::line(&self.file, line, &shown.join(","));
        self.columns
            .iter()
            .zip(record)
            .map(|(column, cell)| {
                let read = read(cell.trim(), column.kind);
                read.map_err(|why| {
                    let message = format!("{} is {why}", column.name);
                    Flaw::new(FlawKind::Table, place(), message)
                })
            })
            .collect()
    }

    fn add(&mut self, row: Box<[Value]>) {
        let Some(key) = row.first().cloned() else { return };
        self.rows.entry(key).or_default().push(row);
        self.count += 1;
    }

    /// A row that stands twice counts once.
    fn close(&mut self) {
        for rows in self.rows.values_mut() {
            rows.sort();
            rows.dedup();
        }
        self.count = self.rows.values().map(Vec::len).sum();
    }

    /// The rows with this key.
    pub(super) fn with_key(&self, key: &Value) -> &[Box<[Value]>] {
        self.rows.get(key).map_or(&[], Vec::as_slice)
    }

    /// How many rows there are.
    pub(super) fn len(&self) -> usize {
        self.count
    }

    /// Every row, by key: for what needs all of them, which no decision does.
    pub(super) fn sorted(&self) -> BTreeSet<&[Value]> {
        self.rows.values().flatten().map(|row| &**row).collect()
    }
}

fn broken(file: &str, why: &csv::Error) -> Flaw {
    let line = why.position().map_or(0, csv::Position::line);
    let place = Place::line(file, usize::try_from(line).unwrap_or(0), "");
    let message = match why.kind() {
        csv::ErrorKind::UnequalLengths { expected_len, len, .. } => {
            format!("this row has {len} values, and the first line {expected_len}")
        }
        csv::ErrorKind::Utf8 { .. } => "this row is not UTF-8".to_owned(),
        _ => format!("cannot be read: {why}"),
    };
    Flaw::new(FlawKind::Table, place, message)
}

fn columns(header: &csv::StringRecord, file: &str) -> Result<Vec<Column>, Flaw> {
    let place = Place::line(file, 1, &header.iter().collect::<Vec<_>>().join(","));
    let flaw = |message: String| Flaw::new(FlawKind::Table, place.clone(), message);
    if header.is_empty() || header.len() > FACT_VALUES_MAX {
        return Err(flaw(format!("a table has 1 to {FACT_VALUES_MAX} columns")));
    }
    let mut columns: Vec<Column> = Vec::new();
    for cell in header {
        let (name, kind) = match cell.trim().split_once(':') {
            None => (cell.trim(), Kind::Text),
            Some((name, "text")) => (name, Kind::Text),
            Some((name, "int")) => (name, Kind::Int),
            Some((name, "flag")) => (name, Kind::Flag),
            Some((name, "date")) => (name, Kind::Date),
            Some((_, kind)) => {
                let hint = "a column is name, name:int, name:flag or name:date";
                return Err(flaw(format!("there is no kind {kind:?} of column")).hint(hint));
            }
        };
        if !is_name(name) {
            return Err(flaw(format!("{name:?} is no name of a column")));
        }
        if columns.iter().any(|column| column.name == name) {
            return Err(flaw(format!("two columns are called {name}")));
        }
        columns.push(Column { name: name.to_owned(), kind });
    }
    match columns.first() {
        Some(Column { kind: Kind::Text | Kind::Int, .. }) => Ok(columns),
        _ => Err(flaw("the key, the first column, is a text or an integer".to_owned())),
    }
}

/// Whether a text can be the name of a predicate.
pub(super) fn is_name(text: &str) -> bool {
    text.starts_with(|c: char| c.is_ascii_lowercase())
        && text
            .bytes()
            .all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_')
}

fn read(cell: &str, kind: Kind) -> Result<Value, String> {
    if cell.len() > CELL_BYTES_MAX {
        return Err(format!("longer than {CELL_BYTES_MAX} bytes"));
    }
    match kind {
        Kind::Int => cell.parse().map(Value::Int).or(Err("no integer".to_owned())),
        Kind::Flag => match cell {
            "true" => Ok(Value::Flag(true)),
            "false" => Ok(Value::Flag(false)),
            _ => Err("neither true nor false".to_owned()),
        },
        Kind::Date => match OffsetDateTime::parse(cell, &Rfc3339) {
            Ok(date) if date.unix_timestamp() >= 0 => Ok(Value::Date(UnixSeconds::from(date).0)),
            _ => Err("no date such as 2026-11-21T12:00:00Z".to_owned()),
        },
        Kind::Text | Kind::Set if cell.chars().any(super::source::misleads) => {
            Err("a text that misleads whoever reads it".to_owned())
        }
        Kind::Text | Kind::Set => Ok(Value::text(cell)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<Table, String> {
        Table::read(text.as_bytes(), "data/t.csv").map_err(|flaws| flaws[0].to_string())
    }

    #[test]
    fn a_row_is_found_by_its_key_and_by_nothing_else() {
        let table =
            read("vendor,status,limit:int\nacme,active,5\nacme,old,6\nglobex,x,7\n").unwrap();
        assert_eq!(table.with_key(&Value::text("acme")).len(), 2);
        assert_eq!(table.with_key(&Value::text("active")).len(), 0);
        assert_eq!(table.with_key(&Value::Int(5)).len(), 0);
    }

    #[test]
    fn what_is_no_value_of_its_column_is_an_error_with_its_line() {
        let wrong = [
            ("k,n:int\na,1\nb,1.5\n", "data/t.csv:3: n is no integer\n  b,1.5"),
            ("k,f:flag\na,yes\n", "data/t.csv:2: f is neither true nor false\n  a,yes"),
            ("k,n\na\n", "data/t.csv:2: this row has 1 values, and the first line 2"),
            ("k,K\n", "data/t.csv:1: \"K\" is no name of a column\n  k,K"),
            (
                "k:date\n",
                "data/t.csv:1: the key, the first column, is a text or an integer\n  k:date",
            ),
            (
                "k\na\u{202e}b\n",
                "data/t.csv:2: k is a text that misleads whoever reads it\n  a\u{202e}b",
            ),
        ];
        for (text, want) in wrong {
            assert_eq!(read(text).err().as_deref(), Some(want));
        }
    }
}
