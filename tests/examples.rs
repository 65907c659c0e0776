//! The four examples of `carryout train`, made by the commands of their READMEs: what the packed models say of later
//! rows is as good as the READMEs promise and as the reports claim.
//!
//! The packages are left in cargo's tmp folder for `tests/browser/`. The commands are shell, so this is for Unix.
#![cfg(unix)]

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::OnceLock;

const ROOT: &str = env!("CARGO_MANIFEST_DIR");

/// The folder of the packages, made once.
fn made() -> &'static Path {
    static MADE: OnceLock<PathBuf> = OnceLock::new();
    MADE.get_or_init(|| {
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("examples");
        let names = ["taxi-rides", "loan-applications", "arrival-time", "energy-consumption"];
        let output = Command::new("scripts/examples.sh")
            .arg(env!("CARGO_BIN_EXE_carryout"))
            .arg(&folder)
            .args(names)
            .current_dir(ROOT)
            .output()
            .unwrap();
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{said}");
        folder
    })
}

/// Later rows with what the package says of them: a column of the CSV that `carryout predict` writes, by name.
struct Predicted {
    header: Vec<String>,
    rows: Vec<Vec<String>>,
}

impl Predicted {
    fn of(example: &str) -> Predicted {
        let output = Command::new(env!("CARGO_BIN_EXE_carryout"))
            .arg("predict")
            .arg(made().join(example))
            .arg(format!("examples/{example}/rows.csv"))
            .args(["-o", "-"])
            .current_dir(ROOT)
            .stderr(Stdio::inherit())
            .output()
            .unwrap();
        assert!(output.status.success());
        let mut reader = csv::Reader::from_reader(&output.stdout[..]);
        let header = reader.headers().unwrap().iter().map(str::to_owned).collect();
        let rows = reader.records().map(|row| row.unwrap().iter().map(str::to_owned).collect()).collect();
        Predicted { header, rows }
    }

    fn texts(&self, name: &str) -> Vec<&str> {
        let place = self.header.iter().position(|column| column == name).expect(name);
        self.rows.iter().map(|row| row[place].as_str()).collect()
    }

    fn numbers(&self, name: &str) -> Vec<f64> {
        self.texts(name).iter().map(|text| text.parse().expect(text)).collect()
    }
}

/// The report beside a package, as text.
fn report(example: &str) -> String {
    std::fs::read_to_string(made().join(format!("{example}.html"))).unwrap()
}

#[test]
fn odd_taxi_rides_are_flagged() {
    let predicted = Predicted::of("taxi-rides");
    let flags = predicted.texts("outlier");
    let flagged: Vec<&str> = predicted
        .texts("ride")
        .into_iter()
        .zip(&flags)
        .filter(|(_, flag)| **flag == "true")
        .map(|(id, _)| id)
        .collect();
    assert_eq!(flags.len(), 500);
    // Those that the simulation made odd.
    for odd in ["R01584", "R01656", "R01827", "R01860", "R01885"] {
        assert!(flagged.contains(&odd), "{odd} is not among {flagged:?}");
    }
    assert!(flagged.len() <= 12, "{flagged:?}");
}

#[test]
fn loans_have_calibrated_probabilities_and_a_threshold() {
    let predicted = Predicted::of("loan-applications");
    let (truth, said) = (predicted.texts("outcome"), predicted.texts("label"));
    let probability = predicted.numbers("probabilities.defaulted");
    let count = |test: &dyn Fn(usize) -> bool| (0..truth.len()).filter(|&row| test(row)).count() as f64;
    let (bad, flagged) = (count(&|row| truth[row] == "defaulted"), count(&|row| said[row] == "defaulted"));
    let hits = count(&|row| truth[row] == "defaulted" && said[row] == "defaulted");
    assert!(hits / flagged > 0.45 && hits / bad > 0.55, "precision {}, recall {}", hits / flagged, hits / bad);
    // As many default as the probabilities add up to, among the sure and among the unsure.
    for (low, high) in [(0.0, 0.15), (0.15, 0.35), (0.35, 1.0)] {
        let inside = |row: usize| (low..high).contains(&probability[row]);
        let rows = count(&inside);
        let expected: f64 =
            (0..truth.len()).filter(|&row| inside(row)).map(|row| probability[row]).sum::<f64>() / rows;
        let observed = count(&|row| inside(row) && truth[row] == "defaulted") / rows;
        assert!(
            rows > 80.0 && (observed - expected).abs() < 0.07,
            "{low} to {high}: {expected} of {rows}, {observed}"
        );
    }
    // One threshold tells the labels from the probabilities, and it is the report's.
    let least =
        (0..truth.len()).filter(|&row| said[row] == "defaulted").map(|row| probability[row]).fold(1.0, f64::min);
    let most = (0..truth.len()).filter(|&row| said[row] == "repaid").map(|row| probability[row]).fold(0.0, f64::max);
    let report = report("loan-applications");
    let at = report.split("from a probability of ").nth(1).unwrap();
    let at: f64 = at.split(' ').next().unwrap().parse().unwrap();
    assert!(most < at && at <= least, "{most} < {at} <= {least}");
    let accuracy = count(&|row| truth[row] == said[row]) / truth.len() as f64;
    assert!(report.contains(&format!("<td class=\"n big\">{accuracy:.3}")), "{accuracy}");
}

/// The model card in a package.
#[test]
fn the_model_card_has_the_figures() {
    let card = std::fs::read_to_string(made().join("arrival-time/README.md")).unwrap();
    let checked = card.split("## Checked\n").nth(1).unwrap();
    for said in ["- MAE 2.", "(baseline 11.39)", "carryout train trips.csv", "SHA-256 "] {
        assert!(checked.contains(said), "{said} is not in {checked}");
    }
}

/// Mean absolute error of the package on the later rows; the report of those rows must say the same.
fn mean_error(example: &str, target: &str) -> f64 {
    let predicted = Predicted::of(example);
    let (truth, value) = (predicted.numbers(target), predicted.numbers("value"));
    let error = truth.iter().zip(&value).map(|(a, b)| (a - b).abs()).sum::<f64>() / truth.len() as f64;
    assert!(report(example).contains(&format!("<td class=\"n big\">{error:.3}")), "{error}");
    error
}

#[test]
fn arrivals_are_told_to_three_minutes() {
    // The mean, always, is off by 11.4.
    assert!(mean_error("arrival-time", "minutes") < 3.2);
}

#[test]
fn energy_is_forecast_to_four_kwh() {
    // The mean, always, is off by 24.0.
    assert!(mean_error("energy-consumption", "kwh") < 4.0);
}

/// simulate.py makes the committed files, where there is a Python to run it.
#[test]
fn the_data_is_what_the_script_makes() {
    let copy = Path::new(env!("CARGO_TARGET_TMPDIR")).join("simulated");
    let _ = std::fs::remove_dir_all(&copy);
    std::fs::create_dir_all(&copy).unwrap();
    std::fs::copy(Path::new(ROOT).join("examples/simulate.py"), copy.join("simulate.py")).unwrap();
    match Command::new("python3").arg(copy.join("simulate.py")).status() {
        Err(_) => return eprintln!("skipped: no python3"),
        Ok(status) => assert!(status.success()),
    }
    let mut files = 0;
    for folder in std::fs::read_dir(&copy).unwrap().map(|entry| entry.unwrap().path()).filter(|path| path.is_dir()) {
        for file in std::fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().path()) {
            let committed = Path::new(ROOT).join("examples").join(file.strip_prefix(&copy).unwrap());
            assert!(std::fs::read(&file).unwrap() == std::fs::read(&committed).unwrap(), "{}", committed.display());
            files += 1;
        }
    }
    assert_eq!(files, 8);
}
