//! The faces of a training report: snapshots of the text, and an HTML file that runs and loads nothing whatever the
//! names are. The reports are made by hand from figures of `metrics`; the HTML is left in cargo's tmp folder.
#![cfg(feature = "train")]

use carryout::train::importance;
use carryout::train::metrics::{self, Labelled};
use carryout::train::random::Random;
use carryout::train::report::*;
use carryout::train::warnings;
use serde_json::json;
use std::path::Path;

/// Between 0 and 1.
fn unit(random: &mut Random) -> f64 {
    random.below(1 << 20) as f64 / f64::from(1 << 20)
}

fn provenance(command: &str, data: &str) -> Provenance {
    Provenance {
        command: command.to_owned(),
        data: data.to_owned(),
        sha256: "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08".to_owned(),
        seed: 0,
        rows_read: 3010,
        rows_used: 3000,
        rows_train: 2400,
        rows_held_out: 600,
        split: "stratified by target".to_owned(),
        reading: vec!["UTF-8, separated by commas, decimal point".to_owned()],
        carryout: "0.1.0".to_owned(),
        engine: "smartcore 0.7.0".to_owned(),
    }
}

fn column(name: &str, kind: &str, role: Role) -> ColumnReport {
    ColumnReport {
        name: name.to_owned(),
        kind: kind.to_owned(),
        role,
        missing: 0,
        distinct: Some(12),
        range: None,
        values: Vec::new(),
        note: None,
    }
}

fn candidate(name: &str, folds: &[f64], seconds: f64) -> Candidate {
    Candidate {
        name: name.to_owned(),
        parameters: serde_json::Map::new(),
        mean: (!folds.is_empty()).then(|| folds.iter().sum::<f64>() / folds.len() as f64),
        folds: folds.to_vec(),
        note: folds.is_empty().then(|| "no time left".to_owned()),
        seconds: (!folds.is_empty()).then_some(seconds),
    }
}

/// Probabilities that know something of the classes; `shares` are the classes' frequencies.
fn judged(classes: &[&str], shares: &[f64], positive: usize) -> (Judgement, Vec<u64>) {
    let classes: Vec<String> = classes.iter().map(|class| class.to_string()).collect();
    let count = classes.len();
    let mut random = Random::new(11);
    let mut draw = |rows: usize| {
        let (mut truth, mut probabilities) = (Vec::new(), Vec::new());
        for _ in 0..rows {
            let at = unit(&mut random);
            let mut sum = 0.0;
            let class = shares.iter().position(|share| {
                sum += share;
                at < sum
            });
            let class = class.unwrap_or(count - 1);
            truth.push(class);
            let mut row: Vec<f64> = shares.iter().map(|share| share * (0.1 + unit(&mut random))).collect();
            row[class] += 0.5 * unit(&mut random);
            let sum: f64 = row.iter().sum();
            probabilities.extend(row.iter().map(|value| value / sum));
        }
        (truth, probabilities)
    };
    let of =
        |probabilities: &[f64]| probabilities.iter().skip(positive).step_by(count).copied().collect::<Vec<f64>>();
    let (fold_truth, fold) = draw(2400);
    let hits: Vec<bool> = fold_truth.iter().map(|&class| class == positive).collect();
    let chosen = metrics::best_threshold(&hits, &of(&fold));
    let (truth, probabilities) = draw(600);
    let best = |row: &[f64]| (0..count).max_by(|&a, &b| row[a].total_cmp(&row[b])).unwrap();
    let predicted: Vec<usize> = probabilities
        .chunks_exact(count)
        .map(|row| match count {
            2 => {
                if row[positive] >= chosen {
                    positive
                } else {
                    1 - positive
                }
            }
            _ => best(row),
        })
        .collect();
    let mut train = vec![0; count];
    fold_truth.iter().for_each(|&class| train[class] += 1);
    let held = Labelled {
        classes: &classes,
        truth: &truth,
        predicted: &predicted,
        probabilities: Some(&probabilities),
        scores: None,
        positive,
        train: &train,
        threshold: Some((chosen, "best F1 in cross-validation")),
    };
    (Judgement::Classification(Box::new(metrics::classification(&held).unwrap())), train)
}

fn loans() -> Report {
    let (judgement, train) = judged(&["repaid", "default"], &[0.92, 0.08], 1);
    let mut income = column("income", "number", Role::Feature);
    (income.range, income.missing) = (Some((8200.0, 214_000.5)), 37);
    let mut purpose = column("purpose", "category", Role::Feature);
    purpose.values = ["car", "home", "debt", "business", "other"].map(String::from).to_vec();
    let mut id = column("application", "text", Role::Dropped);
    id.note = Some("different in every row, dropped".to_owned());
    let mut outcome = column("outcome", "category", Role::Target);
    outcome.values = ["repaid", "default"].map(String::from).to_vec();
    outcome.distinct = Some(2);
    let names = ["income", "purpose", "debt ratio"].map(String::from);
    let worth = [0.031, 0.004, 0.12];
    let mut random = Random::new(1);
    let importance = importance::permutation(&names, 600, 5, 0, ("log loss", false), |shuffled| {
        Ok(0.24 + shuffled.map_or(0.0, |(column, _)| worth[column] * (0.9 + 0.2 * unit(&mut random))))
    });
    let mut warnings = warnings::of_judgement(&judgement, &train);
    let values: Vec<f64> = (0..100).map(f64::from).collect();
    let classes: Vec<usize> = (0..100).map(|row| usize::from(row > 60)).collect();
    warnings.extend(warnings::leakage(
        "debt ratio",
        &warnings::Values::Numbers(&values),
        &warnings::Target::Classes(&classes),
    ));
    Report {
        format: FORMAT,
        provenance: provenance("carryout train loans.csv --target outcome --model auto -o loans.carry", "loans.csv"),
        target: Some("outcome".to_owned()),
        columns: vec![id, income, purpose, column("debt ratio", "number", Role::Feature), outcome],
        estimator: Estimator {
            name: "forest".to_owned(),
            parameters: json!({ "n_trees": 100, "max_depth": 8 }).as_object().unwrap().clone(),
            preparation: vec!["income: median for missing".to_owned(), "purpose: one column a category".to_owned()],
        },
        leaderboard: Some(Leaderboard {
            score: "log loss".to_owned(),
            larger_is_better: false,
            candidates: vec![
                candidate("forest", &[0.231, 0.242, 0.25, 0.239, 0.236], 4.25),
                candidate("logistic", &[0.25, 0.252, 0.26, 0.249, 0.251], 0.31),
                candidate("tree", &[0.41, 0.38, 0.45, 0.52, 0.39], 0.12),
                candidate("svm", &[], 0.0),
            ],
        }),
        judgement,
        importance: Some(importance.unwrap()),
        warnings,
        seconds: Some(6.1),
    }
}

fn arrival() -> Report {
    let mut random = Random::new(2);
    let truth: Vec<f64> = (0..700).map(|_| 5.0 + 40.0 * unit(&mut random).powi(2)).collect();
    let predicted: Vec<f64> = truth.iter().map(|value| 2.0 + 0.9 * value + 6.0 * (unit(&mut random) - 0.5)).collect();
    Report {
        target: Some("minutes".to_owned()),
        judgement: Judgement::Regression(metrics::regression(&truth, &predicted, 18.0).unwrap()),
        leaderboard: None,
        warnings: Vec::new(),
        ..loans()
    }
}

fn rides() -> Report {
    let mut random = Random::new(3);
    let scores: Vec<f64> = (0..1500).map(|_| 0.25 - 0.3 * unit(&mut random).powi(4)).collect();
    let flags: Vec<bool> = scores.iter().map(|&score| score < 0.0).collect();
    Report {
        target: None,
        judgement: Judgement::Anomaly(metrics::anomaly("training rows", &flags, &scores)),
        leaderboard: None,
        importance: None,
        warnings: Vec::new(),
        ..loans()
    }
}

fn groups() -> Report {
    let points: Vec<f64> = (0..60).map(|row| f64::from(row % 3) * 10.0 + f64::from(row) / 60.0).collect();
    let assigned: Vec<Option<usize>> = (0..60).map(|row| (row != 59).then_some(row % 3)).collect();
    let labels = ["0", "1", "2"].map(String::from);
    let judged = metrics::clustering(&labels, &assigned, &points, 1, 0).unwrap();
    Report { judgement: Judgement::Clustering(judged), ..rides() }
}

/// Every name is an attack, or at least a nuisance.
fn hostile() -> Report {
    let bad = "<img src=x onerror=alert(1)>\"'&\u{202e}\u{0}\u{1b}[2J</style><script>alert(2)</script>";
    let (judgement, _) = judged(&[bad, "</title>", "javascript:alert(3)", "{{7*7}}"], &[0.4, 0.3, 0.2, 0.1], 0);
    let mut report = loans();
    report.target = Some(bad.to_owned());
    report.judgement = judgement;
    report.provenance.command = bad.to_owned();
    report.provenance.data = bad.to_owned();
    report.provenance.reading = vec![bad.to_owned()];
    report.provenance.split = bad.to_owned();
    report.provenance.engine = bad.to_owned();
    report.estimator.name = bad.to_owned();
    report.estimator.preparation = vec![bad.to_owned()];
    report.columns.push(ColumnReport {
        note: Some(bad.to_owned()),
        values: vec![bad.to_owned()],
        ..column(bad, bad, Role::Dropped)
    });
    for candidate in report.leaderboard.iter_mut().flat_map(|board| &mut board.candidates) {
        candidate.name = bad.to_owned();
        candidate.parameters = json!({ bad: bad }).as_object().unwrap().clone();
        candidate.note = Some(bad.to_owned());
    }
    report.leaderboard.as_mut().unwrap().score = bad.to_owned();
    let importance = report.importance.as_mut().unwrap();
    importance.score = bad.to_owned();
    importance.columns[0].name = bad.to_owned();
    report.warnings =
        vec![Warning { kind: WarningKind::LeftOut, column: Some(bad.to_owned()), message: bad.to_owned() }];
    report
}

fn reports() -> [(&'static str, Report); 5] {
    [("loans", loans()), ("arrival", arrival()), ("rides", rides()), ("groups", groups()), ("hostile", hostile())]
}

/// `UPDATE_SNAPSHOTS=1` writes what is expected.
#[test]
fn the_text_as_a_terminal_shows_it() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/snapshots/report");
    for (name, report) in reports() {
        let made = text(&report);
        assert!(made.chars().all(|letter| letter == '\n' || !letter.is_control()), "{name}");
        let file = folder.join(format!("{name}.txt"));
        if std::env::var_os("UPDATE_SNAPSHOTS").is_some() {
            std::fs::create_dir_all(&folder).unwrap();
            std::fs::write(&file, &made).unwrap();
        }
        assert_eq!(made, std::fs::read_to_string(&file).unwrap(), "{name}");
    }
}

#[test]
fn json_comes_back_the_same_and_timings_can_be_left_out() {
    for (name, report) in reports() {
        let json = serde_json::to_string(&report).unwrap();
        assert_eq!(serde_json::from_str::<Report>(&json).unwrap(), report, "{name}");
        let still = serde_json::to_string(&report.without_timings()).unwrap();
        assert!(!still.contains("\"seconds\""), "{name}");
    }
}

/// Elements that a report is made of. Whatever a name holds, no other may appear.
const ELEMENTS: &str = "html head meta title style body header main section h1 h2 p b br ul li div dl dt dd table thead \
                        tbody tr th td bdi span code figure figcaption svg polyline line circle rect text";

#[test]
fn html_runs_and_loads_nothing() {
    for (name, report) in reports() {
        let made = html(&report);
        std::fs::write(Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("report-{name}.html")), &made).unwrap();
        let style = made.split("<style>").nth(1).unwrap().split("</style>").next().unwrap();
        let policy = format!(
            "content=\"default-src 'none'; style-src '{}'; base-uri 'none'; form-action 'none'\"",
            carryout::package::integrity(style.as_bytes())
        );
        assert!(made.contains(&policy), "{name}");
        assert!(!style.contains("url(") && !style.contains("@import"), "{name}");

        let body = made.replacen(style, "", 1);
        assert!(body.chars().all(|letter| letter == '\n' || !letter.is_control()), "{name}");
        let mut open: Vec<&str> = Vec::new();
        for tag in body.split('<').skip(1).filter(|tag| !tag.starts_with('!')) {
            let (inside, _) = tag.split_once('>').expect("a tag ends");
            let element = inside.trim_start_matches('/').split([' ', '/']).next().unwrap();
            assert!(ELEMENTS.split_whitespace().any(|known| known == element), "{name}: <{element}>");
            assert!(
                !inside.contains(" on") && !inside.contains("href") && !inside.contains(" src"),
                "{name}: {inside}"
            );
            assert!(!inside.contains(" style="), "{name}: {inside}");
            match element {
                "table" | "section" | "svg" | "figure" | "main" | "bdi" | "div" => match inside.strip_prefix('/') {
                    Some(_) => assert_eq!(open.pop(), Some(element), "{name}"),
                    None => open.push(element),
                },
                _ => {}
            }
        }
        assert!(open.is_empty(), "{name}: {open:?}");
        assert!(!body.contains("NaN") && !body.contains("inf,"), "{name}");
    }
}

#[test]
fn the_html_says_what_the_text_says() {
    let report = loans();
    let (text, html) = (text(&report), html(&report));
    let Judgement::Classification(judged) = &report.judgement else { panic!() };
    let auc = format!("{:.3}", judged.metrics.roc_auc.unwrap());
    let at = format!("{:.2}", judged.thresholds.as_ref().unwrap().chosen);
    for said in
        [auc.as_str(), at.as_str(), "debt ratio", "best F1 in cross-validation", "different in every row, dropped"]
    {
        assert!(text.contains(said) && html.contains(said), "{said}");
    }
}

/// A report comes out of a `.carry` file, which anyone may have written: parts that do not fit are shown as far as
/// they go.
#[test]
fn tables_in_html_have_no_empty_headings_and_count_what_they_leave_out() {
    for (name, report) in reports() {
        let made = html(&report);
        // Not <thead>.
        let cells = made.split("<th").filter_map(|rest| rest.strip_prefix([' ', '>']).map(|_| rest));
        let texts = cells.map(|rest| rest.split_once('>').unwrap().1.trim_start_matches("<bdi>"));
        assert!(texts.clone().count() > 3 && texts.into_iter().all(|text| !text.starts_with('<')), "{name}");
    }
    let mut report = loans();
    let mut weekday = column("weekday", "category", Role::Feature);
    weekday.values = ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"].map(String::from).to_vec();
    weekday.distinct = Some(7);
    report.columns = vec![weekday];
    assert!(html(&report).contains("<bdi>Fri</bdi> and 2 more<"));
    report.columns[0].values.truncate(5);
    report.columns[0].distinct = Some(5);
    assert!(html(&report).contains("<bdi>Fri</bdi><td class=soft>"));
}

#[test]
fn parts_that_do_not_fit_are_no_panic() {
    for (name, report) in reports() {
        let json = serde_json::to_value(&report).unwrap();
        for emptied in ["classes", "support", "confusion", "curves", "calibration", "points", "clusters", "columns"] {
            let mut json = json.clone();
            let mut changed = false;
            for place in ["", "/judgement", "/importance", "/judgement/scores"] {
                if let Some(list) = json.pointer_mut(place).and_then(|part| part.get_mut(emptied)) {
                    *list = json!([]);
                    changed = true;
                }
            }
            if let (true, Ok(report)) = (changed, serde_json::from_value::<Report>(json)) {
                assert!(!text(&report).is_empty() && html(&report).ends_with("</html>\n"), "{name}, no {emptied}");
            }
        }
    }
    let mut report = loans();
    let Judgement::Classification(judged) = &mut report.judgement else { panic!() };
    judged.positive = Some(usize::MAX);
    judged.curves[0].class = usize::MAX;
    judged.thresholds.as_mut().unwrap().rows.clear();
    for row in &mut judged.confusion {
        row.resize(40, u64::MAX);
    }
    assert!(!text(&report).is_empty() && html(&report).ends_with("</html>\n"));
}

/// `inspect` finds the report in the `.carry` file, the one that `train` gave.
#[test]
fn the_report_is_in_the_model() {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("report");
    let _ = std::fs::remove_dir_all(&folder);
    std::fs::create_dir_all(&folder).unwrap();
    let run = |arguments: &[&str]| {
        let root = Path::new(env!("CARGO_MANIFEST_DIR"));
        let output = std::process::Command::new(env!("CARGO_BIN_EXE_carryout"))
            .args(arguments)
            .current_dir(root)
            .output()
            .unwrap();
        let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
        (output.status.code(), text(&output.stdout), text(&output.stderr))
    };
    let path = |name: &str| folder.join(name).to_str().unwrap().to_owned();
    let (carry, page) = (path("loans.carry"), path("loans.html"));
    let data = "examples/loan-applications/rows.csv";
    let (code, given, said) =
        run(&["train", data, "--target", "outcome", "--model", "logistic", "-o", &carry, "--json"]);
    assert_eq!(code, Some(0), "{said}");
    let given: Report = serde_json::from_str(&given).unwrap();
    let (_, inspected, _) = run(&["inspect", &carry, "--json", "--report", &page]);
    let inspected: serde_json::Value = serde_json::from_str(&inspected).unwrap();
    let kept: Report = serde_json::from_value(inspected["report"].clone()).unwrap();
    assert_eq!(kept, given.without_timings());
    assert_eq!(std::fs::read_to_string(&page).unwrap(), html(&kept));
    let (_, shown, _) = run(&["inspect", &carry]);
    assert!(
        shown.contains("\nTraining\n  logistic (alpha 1.0), by smartcore ") && shown.contains(&summary(&kept)),
        "{shown}"
    );

    let (code, out, said) = run(&["inspect", "examples/iris/model.joblib", "--report", &path("iris.html")]);
    let expected = "error: examples/iris/model.joblib: no training report in it\n  Give a .carry file that carryout train \
                    wrote.\n";
    assert_eq!((code, out.as_str(), said.as_str()), (Some(4), "", expected));
    assert!(!folder.join("iris.html").exists());
}
