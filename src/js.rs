//! The binding that a web page loads: a model file read, tried and packed in the tab, with no server.
//!
//! Nothing here decides anything: it turns JavaScript values into ours and back, and an [`Error`] into an `Error`
//! object (a `TypeError` where a row or option does not fit) with `kind`, `place` and `remedy`. Packages do not
//! carry this: they call the bare runtime (docs/design.md).

use crate::import::{Options, pickle::Limits};
use crate::lower::{Lowered, Want, lower};
use crate::model::{Column, Model as Read};
use crate::predictor::Predictor;
use crate::train::carry;
use crate::train::report::{Report, card};
use crate::{Error, Kind, package};
use js_sys::{Array, JSON, Object, Reflect, Uint8Array};
use serde::Serialize;
use serde_wasm_bindgen::Serializer;
use wasm_bindgen::prelude::{JsCast, JsValue, wasm_bindgen};

/// The version of carryout that packs.
#[wasm_bindgen]
pub fn version() -> String {
    env!("CARGO_PKG_VERSION").to_owned()
}

/// A model that was read. `free()` gives its memory back.
#[wasm_bindgen]
pub struct Model {
    model: Read,
    lowered: Lowered,
    predictor: Predictor,
    report: Option<Report>,
}

#[wasm_bindgen]
impl Model {
    /// Reads a model file. `select` is where the model sits in a file that holds several things; `features` names
    /// the columns of a model fitted on a bare array.
    ///
    /// # Errors
    /// As `train::carry::open`.
    pub fn read(bytes: &[u8], select: Option<String>, features: Option<Vec<String>>) -> Result<Model, JsValue> {
        let options = Options { limits: Limits::default(), select, features, ..Options::default() };
        let (model, report) = carry::open(bytes, &options).map_err(thrown)?;
        let lowered = lower(&model, Want::Package).map_err(thrown)?;
        let predictor = Predictor::new("model", &model, Want::Package).map_err(thrown)?;
        Ok(Model { model, lowered, predictor, report })
    }

    /// `classification`, `regression`, …
    #[wasm_bindgen(getter)]
    pub fn task(&self) -> String {
        self.model.output.task().to_owned()
    }

    /// The columns: name, kind, what is accepted.
    #[wasm_bindgen(getter)]
    pub fn columns(&self) -> Result<JsValue, JsValue> {
        Ok(self.model.schema.columns.serialize(&Serializer::json_compatible())?)
    }

    /// Library, version, estimator and outline of the original.
    #[wasm_bindgen(getter)]
    pub fn source(&self) -> Result<JsValue, JsValue> {
        Ok(self.model.source.serialize(&Serializer::json_compatible())?)
    }

    /// The report of the training that a `.carry` file holds, as `carryout train --json` prints it; undefined for models
    /// of other libraries.
    #[wasm_bindgen(getter)]
    pub fn report(&self) -> Result<JsValue, JsValue> {
        match &self.report {
            Some(report) => Ok(report.serialize(&Serializer::json_compatible())?),
            None => Ok(JsValue::UNDEFINED),
        }
    }

    /// Predicts a row: an object by column name, an array in column order, or the bare value of a model of one
    /// column. The answer is the one of the packed model's `predict`.
    ///
    /// # Errors
    /// A `TypeError` that names the column.
    pub fn predict(&mut self, row: &JsValue) -> Result<JsValue, JsValue> {
        let row = plain_row(row, &self.model.schema.columns).map_err(thrown)?;
        let prediction = self.predictor.predict(&row).map_err(thrown)?;
        JSON::parse(&self.predictor.json(&prediction))
    }

    /// The files of the npm package by name, each a `Uint8Array`.
    ///
    /// # Errors
    /// A `TypeError` where npm would not take the name.
    pub fn pack(&self, name: &str) -> Result<Object, JsValue> {
        package::check_name(name).map_err(thrown)?;
        let mut options = package::Options::new(name);
        options.checked = self.report.as_ref().map(card).unwrap_or_default();
        let runtime = package::runtime().map_err(thrown)?;
        let made = package::pack(&self.model, &self.lowered, runtime, &options).map_err(thrown)?;
        let files = Object::new();
        for file in made {
            Reflect::set(&files, &file.name.into(), &Uint8Array::from(&file.bytes[..]))?;
        }
        Ok(files)
    }
}

/// A row as JSON has it. NaN and undefined are missing like null; what JSON cannot say is refused here, with the
/// words of `predictor::intake`.
fn plain_row(row: &JsValue, columns: &[Column]) -> Result<serde_json::Value, Error> {
    if Array::is_array(row) {
        let values = Array::from(row);
        let name = |place: usize| columns.get(place).map_or("", |column| &column.name);
        let cells = values.iter().enumerate().map(|(place, value)| plain(&value, name(place)));
        return cells.collect::<Result<Vec<_>, _>>().map(serde_json::Value::Array);
    }
    if row.is_object() && !row.is_function() {
        let mut fields = serde_json::Map::new();
        for entry in Object::entries(row.unchecked_ref()).iter() {
            let pair = Array::from(&entry);
            let name = pair.get(0).as_string().unwrap_or_default();
            let value = plain(&pair.get(1), &name)?;
            fields.insert(name, value);
        }
        return Ok(serde_json::Value::Object(fields));
    }
    plain(row, columns.first().map_or("", |column| &column.name))
}

fn plain(value: &JsValue, column: &str) -> Result<serde_json::Value, Error> {
    use serde_json::Value;
    let refused = |what: &str| Err(Error::input(format!("{column:?}: {what} is no value of a column")));
    if value.is_undefined() || value.is_null() {
        return Ok(Value::Null);
    }
    if let Some(flag) = value.as_bool() {
        return Ok(Value::Bool(flag));
    }
    if let Some(text) = value.as_string() {
        return Ok(Value::String(text));
    }
    match value.as_f64() {
        Some(number) if number.is_nan() => Ok(Value::Null),
        Some(number) => match serde_json::Number::from_f64(number) {
            Some(number) => Ok(Value::Number(number)),
            None => refused("an infinite number"),
        },
        None if value.is_bigint() => refused("a bigint"),
        None if value.is_object() => Ok(Value::Object(serde_json::Map::new())),
        None => refused("a symbol or function"),
    }
}

/// The error as JavaScript throws it.
fn thrown(error: Error) -> JsValue {
    let message = error.to_string();
    let object: Object = match error.kind() {
        Kind::Input => js_sys::TypeError::new(&message).into(),
        _ => js_sys::Error::new(&message).into(),
    };
    let place: Array = error.place().iter().map(|place| JsValue::from(place.as_str())).collect();
    let remedy = error.remedy_text().map_or(JsValue::UNDEFINED, JsValue::from);
    for (key, value) in [("kind", error.kind().name().into()), ("place", place.into()), ("remedy", remedy)] {
        // An error object is extensible; were it not, the message alone would do.
        let _ = Reflect::set(&object, &key.into(), &value);
    }
    object.into()
}
