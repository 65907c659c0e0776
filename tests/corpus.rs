//! Every model file of the corpus, imported and run natively, against the outputs its library recorded.

mod common;

use carryout::import;
use carryout::lower::{Want, lower};
use common::{Case, compare, compare_raw, corpus, is_raw, run};
use std::collections::BTreeMap;

#[test]
fn sklearn_cases_predict_as_recorded() {
    let Some(corpus) = corpus() else { return };
    let (mut passed, mut outputs, mut numbers, mut raw, mut files) = (0, 0, 0, 0, 0);
    let mut refused: BTreeMap<String, String> = BTreeMap::new();
    let mut failures = Vec::new();
    for set in ["sklearn-1.1.3", "sklearn-1.5.2", "sklearn-1.9.1"] {
        for case in Case::all(corpus.join(set)) {
            let mut fine = true;
            let mut counted = false;
            for file in case.models() {
                let bytes = std::fs::read(&file).unwrap();
                let model = match import::import(&bytes, &case.options()) {
                    Ok(model) => model,
                    Err(error) => {
                        refused.insert(case.id.clone(), error.to_string());
                        fine = false;
                        break;
                    }
                };
                files += 1;
                let lowered = lower(&model, Want::Everything).unwrap_or_else(|error| panic!("{}: {error}", case.id));
                let rows = case.rows();
                println!("{}", case.id);
                let slots = run(&lowered, &model.schema.columns, &rows);
                for (method, want) in case.expected().as_object().unwrap() {
                    if is_raw(method) {
                        let (count, wrong) = compare_raw(&model, &rows, &case, method, want);
                        raw += count;
                        failures.extend(wrong.map(|wrong| format!("{}: {wrong}", case.id)));
                        continue;
                    }
                    let compared = compare(
                        &lowered.results,
                        &slots,
                        (&model.schema.columns, &rows, &lowered.columns),
                        method,
                        want,
                        case.tolerance(),
                    );
                    match compared {
                        Some(comparison) if comparison.wrong == 0 => {
                            numbers += comparison.compared;
                            outputs += usize::from(!counted);
                        }
                        Some(comparison) => {
                            fine = false;
                            failures.push(format!(
                                "{} {}: {} of {} wrong, first {}",
                                case.id,
                                file.file_name().unwrap().display(),
                                comparison.wrong,
                                comparison.compared,
                                comparison.first.unwrap()
                            ));
                        }
                        None => {
                            fine = false;
                            failures.push(format!("{} has no {method}", case.id));
                        }
                    }
                }
                counted = true;
            }
            passed += usize::from(fine);
        }
    }
    for (case, error) in &refused {
        println!("refused {case}: {error}");
    }
    println!(
        "{passed} cases, {outputs} outputs, {numbers} numbers, {raw} raw scores with the same bits from {files} files; {} cases refused",
        refused.len()
    );
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}
