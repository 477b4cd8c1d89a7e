//! Apache Parquet: the columns of [`super::columns`], typed. Times are TIMESTAMP(MICROS, UTC), numbers unsigned 64-bit
//! integers, texts UTF-8; dictionaries where values repeat; Snappy; at most [`GROUP`] rows in memory and in a row group.

use std::io;
use std::sync::Arc;

use ::parquet::basic::Compression;
use ::parquet::column::writer::ColumnWriter;
use ::parquet::data_type::ByteArray;
use ::parquet::errors::ParquetError;
use ::parquet::file::properties::WriterProperties;
use ::parquet::file::writer::SerializedFileWriter;
use ::parquet::schema::parser::parse_message_type;

use super::CallSink;
use super::call::Call;
use super::columns::{COLUMNS, Column, Kind, Value};
use super::destination::Destination;
use crate::exit_code::ExitCode;
use crate::failure::Failure;

/// Rows of a row group: some 30 MiB in memory.
const GROUP: usize = 32_768;

/// Writes Parquet.
pub struct Parquet {
    out: SerializedFileWriter<Destination>,
    columns: Vec<Cells>,
    rows: usize,
}

/// What waits of one column.
enum Cells {
    Texts(Vec<ByteArray>, Vec<i16>),
    Numbers(Vec<i64>, Vec<i16>),
}

impl Parquet {
    /// Begins the file.
    pub fn new(out: Destination) -> Result<Self, Failure> {
        let schema = Arc::new(parse_message_type(&schema()).map_err(failed)?);
        let properties = WriterProperties::builder()
            .set_compression(Compression::SNAPPY)
            .set_created_by(concat!("callbox version ", env!("CARGO_PKG_VERSION")).to_owned())
            .build();
        let out = SerializedFileWriter::new(out, schema, Arc::new(properties)).map_err(failed)?;
        Ok(Self { out, columns: COLUMNS.iter().map(Cells::of).collect(), rows: 0 })
    }

    fn write_group(&mut self) -> Result<(), Failure> {
        let mut group = self.out.next_row_group().map_err(failed)?;
        for cells in &mut self.columns {
            let Some(mut column) = group.next_column().map_err(failed)? else { break };
            cells.write(column.untyped()).map_err(failed)?;
            column.close().map_err(failed)?;
        }
        group.close().map_err(failed)?;
        self.rows = 0;
        Ok(())
    }
}

impl CallSink for Parquet {
    fn call(&mut self, call: &Call) -> Result<(), Failure> {
        for (column, cells) in COLUMNS.iter().zip(&mut self.columns) {
            cells.push((column.of)(call));
        }
        self.rows += 1;
        if self.rows < GROUP { Ok(()) } else { self.write_group() }
    }

    fn finish(mut self: Box<Self>) -> Result<(), Failure> {
        if self.rows > 0 {
            self.write_group()?;
        }
        self.out.into_inner().map_err(failed)?.finish()
    }
}

impl Cells {
    fn of(column: &Column) -> Self {
        match column.kind {
            Kind::Text | Kind::Code => Self::Texts(Vec::new(), Vec::new()),
            Kind::Time | Kind::Number => Self::Numbers(Vec::new(), Vec::new()),
        }
    }

    /// An empty cell has definition level 0 and no value.
    fn push(&mut self, value: Value) {
        let number = |number: u64| i64::try_from(number).unwrap_or(i64::MAX);
        match (self, value) {
            (Self::Texts(texts, levels), Value::Text(text)) => {
                texts.push(ByteArray::from(text.into_bytes()));
                levels.push(1);
            }
            (Self::Numbers(numbers, levels), Value::Number(value)) => {
                numbers.push(number(value));
                levels.push(1);
            }
            (Self::Numbers(numbers, levels), Value::Time(at)) => {
                numbers.push(number(at.micros()));
                levels.push(1);
            }
            (Self::Texts(_, levels) | Self::Numbers(_, levels), _) => levels.push(0),
        }
    }

    fn write(&mut self, column: &mut ColumnWriter<'_>) -> Result<(), ParquetError> {
        match (self, column) {
            (Self::Texts(texts, levels), ColumnWriter::ByteArrayColumnWriter(column)) => {
                column.write_batch(texts, Some(levels), None)?;
                texts.clear();
                levels.clear();
            }
            (Self::Numbers(numbers, levels), ColumnWriter::Int64ColumnWriter(column)) => {
                column.write_batch(numbers, Some(levels), None)?;
                numbers.clear();
                levels.clear();
            }
            (_, _) => return Err(ParquetError::General("a column of another type than its cells".into())),
        }
        Ok(())
    }
}

/// The schema in Parquet's own notation.
fn schema() -> String {
    let field = |column: &Column| {
        let repetition = if column.required { "REQUIRED" } else { "OPTIONAL" };
        let (physical, logical) = match column.kind {
            Kind::Text | Kind::Code => ("BYTE_ARRAY", "STRING"),
            Kind::Time => ("INT64", "TIMESTAMP(MICROS,true)"),
            Kind::Number => ("INT64", "INTEGER(64,false)"),
        };
        format!("{repetition} {physical} {} ({logical});", column.name)
    };
    format!("message call {{ {} }}", COLUMNS.iter().map(field).collect::<Vec<_>>().join(" "))
}

/// The system's errors come back as what they were, so that a broken pipe is known as one.
fn failed(error: ParquetError) -> Failure {
    match error {
        ParquetError::External(source) => match source.downcast::<io::Error>() {
            Ok(error) => (*error).into(),
            Err(source) => broken(&source),
        },
        other => broken(&other),
    }
}

fn broken(error: &dyn std::fmt::Display) -> Failure {
    Failure::new(ExitCode::Failure, "output", format!("the table could not be written: {error}"))
}
