//! The JavaScript binding in a real browser: `wasm-pack test --headless --chrome` (and `--firefox`).
#![cfg(all(target_arch = "wasm32", feature = "js"))]

use carryout::js::Model;
use js_sys::{Object, Reflect, Uint8Array};
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_test::{wasm_bindgen_test, wasm_bindgen_test_configure};

wasm_bindgen_test_configure!(run_in_browser);

const DIABETES: &[u8] = include_bytes!("../examples/diabetes/model.joblib");
const IRIS: &[u8] = include_bytes!("../examples/iris/model.joblib");
const WINE: &[u8] = include_bytes!("../examples/wine/model.joblib");

fn get(object: &JsValue, path: &str) -> JsValue {
    path.split('.').fold(object.clone(), |object, key| Reflect::get(&object, &key.into()).unwrap())
}

/// The rows of an example, each as the array of its values; an empty cell is null, text stays text.
fn rows(csv: &str) -> Vec<JsValue> {
    let cell = |text: &str| match text.parse::<f64>() {
        _ if text.is_empty() => JsValue::NULL,
        Ok(number) => number.into(),
        Err(_) => text.into(),
    };
    csv.lines().skip(1).map(|line| line.split(',').map(cell).collect::<js_sys::Array>().into()).collect()
}

#[wasm_bindgen_test]
fn version_is_the_crate_version() {
    assert_eq!(carryout::js::version(), env!("CARGO_PKG_VERSION"));
}

#[wasm_bindgen_test]
fn examples_predict_as_scikit_learn_did() {
    let cases = [
        (DIABETES, include_str!("../examples/diabetes/rows.csv"), include_str!("../examples/diabetes/expected.json")),
        (IRIS, include_str!("../examples/iris/rows.csv"), include_str!("../examples/iris/expected.json")),
    ];
    for (bytes, csv, expected) in cases {
        let mut model = Model::read(bytes, None, None).unwrap();
        let expected: serde_json::Value = serde_json::from_str(expected).unwrap();
        let classes = get(&model.predict(&rows(csv)[0]).unwrap(), "probabilities");
        let classes = Object::keys(classes.unchecked_ref::<Object>());
        for (row, values) in rows(csv).iter().enumerate() {
            let got = model.predict(values).unwrap();
            assert_eq!(get(&got, "label").as_string().unwrap(), expected["predict"][row].as_str().unwrap());
            for (place, class) in classes.iter().enumerate() {
                let probability = Reflect::get(&get(&got, "probabilities"), &class).unwrap().as_f64().unwrap();
                let want = expected["predict_proba"][row][place].as_f64().unwrap();
                assert!((probability - want).abs() < 1e-12, "row {row}: {probability} instead of {want}");
            }
        }
    }
    let expected: serde_json::Value = serde_json::from_str(include_str!("../examples/wine/expected.json")).unwrap();
    let mut model = Model::read(WINE, None, None).unwrap();
    for (row, values) in rows(include_str!("../examples/wine/rows.csv")).iter().enumerate() {
        let got = model.predict(values).unwrap();
        assert_eq!(get(&got, "outlier").as_bool().unwrap(), expected["predict"][row] == -1);
        let want = expected["decision_function"][row].as_f64().unwrap();
        assert!((get(&got, "score").as_f64().unwrap() - want).abs() < 1e-12);
    }
}

#[wasm_bindgen_test]
fn a_bad_row_is_a_type_error_that_names_the_column() {
    let mut model = Model::read(IRIS, None, None).unwrap();
    for bad in [JsValue::from("5.1"), f64::INFINITY.into(), js_sys::BigInt::from(5).into(), true.into()] {
        let row = Object::new();
        for (name, value) in [("sepal width (cm)", 3.5), ("petal length (cm)", 1.4), ("petal width (cm)", 0.2)] {
            Reflect::set(&row, &name.into(), &value.into()).unwrap();
        }
        Reflect::set(&row, &"sepal length (cm)".into(), &bad).unwrap();
        let error = model.predict(&row).unwrap_err();
        assert!(error.is_instance_of::<js_sys::TypeError>(), "{bad:?}");
        let message = get(&error, "message").as_string().unwrap();
        assert!(message.contains("sepal length (cm)"), "{message}");
    }
}

#[wasm_bindgen_test]
fn a_bad_file_is_an_error_with_its_kind() {
    for (bytes, kind) in [(&b"cos\nsystem\n(S'true'\ntR."[..], "unsafe"), (b"\x80\x04", "malformed")] {
        let error = Model::read(bytes, None, None).err().unwrap();
        assert_eq!(get(&error, "kind").as_string().unwrap(), kind);
    }
}

#[wasm_bindgen_test]
fn packs_in_the_page() {
    let model = Model::read(DIABETES, None, None).unwrap();
    let files = model.pack("progression").unwrap();
    let wasm: Uint8Array = Reflect::get(&files, &"model.wasm".into()).unwrap().dyn_into().unwrap();
    assert_eq!(&wasm.to_vec()[..4], b"\0asm");
    assert!(model.pack("../escape").is_err());
}

#[wasm_bindgen_test]
fn a_carry_file_brings_its_report() {
    let model = Model::read(include_bytes!("fixtures/carry/loans.carry"), None, None).unwrap();
    let report = model.report().unwrap();
    assert_eq!(get(&report, "judgement.thresholds.chosen").as_f64(), Some(0.3));
    assert!(Model::read(IRIS, None, None).unwrap().report().unwrap().is_undefined());
}
