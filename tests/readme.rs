//! The README's commands and code run, and its tables are made from the code: `UPDATE=1 cargo test --test readme`
//! writes them.

use carryout::import::sklearn::registry::ENTRIES;
use carryout::import::{self, Options};
use carryout::lower::{Want, lower};
use carryout::package;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;

const ROOT: &str = env!("CARGO_MANIFEST_DIR");

fn readme() -> String {
    std::fs::read_to_string(Path::new(ROOT).join("README.md")).unwrap()
}

/// The fenced blocks of a language, in order.
fn blocks(language: &str) -> Vec<String> {
    let readme = readme();
    let fence = format!("```{language}\n");
    readme.split(&fence).skip(1).map(|rest| rest.split("```").next().unwrap().to_string()).collect()
}

/// What stands between `<!-- name: … -->` and `<!-- /name -->` is `made`; with UPDATE=1 it is written.
fn section(name: &str, made: &str) {
    let readme = readme();
    let start = readme.find(&format!("<!-- {name}: ")).unwrap();
    let from = start + readme[start..].find("-->\n").unwrap() + 4;
    let to = readme.find(&format!("<!-- /{name} -->")).unwrap();
    if std::env::var_os("UPDATE").is_some() {
        let path = Path::new(ROOT).join("README.md");
        std::fs::write(path, format!("{}{made}{}", &readme[..from], &readme[to..])).unwrap();
    } else {
        assert_eq!(
            &readme[from..to],
            made,
            "the README's {name} are not the code's: UPDATE=1 cargo test --test readme"
        );
    }
}

/// The two tables; one test, so that two updates do not write the file at once.
#[test]
fn the_tables_are_the_codes() {
    let mut families: Vec<(&str, Vec<String>)> = Vec::new();
    for entry in ENTRIES {
        let family = if entry.package == "sklearn" { entry.family } else { entry.package };
        let row = match families.iter().position(|(known, _)| *known == family) {
            Some(place) => &mut families[place].1,
            None => {
                families.push((family, Vec::new()));
                &mut families.last_mut().unwrap().1
            }
        };
        row.push(entry.class.to_string());
    }
    let mut support = "| family | estimators |\n|---|---|\n".to_string();
    for (family, mut classes) in families {
        classes.sort();
        classes.dedup();
        support += &format!("| {family} | {} |\n", classes.join(", "));
    }
    section("support", &support);

    let mut sizes = "| model | a visitor downloads, gzipped | of it index.js | model.wasm | the model's own data |\n\
        |---|---|---|---|---|\n"
        .to_string();
    for (what, file) in [
        ("logistic regression, 4 columns, 3 classes", "tests/fixtures/sizes/logistic.pkl"),
        ("impute, scale, one-hot, logistic regression, 11 mixed columns", "examples/diabetes/model.joblib"),
        ("text: TF-IDF of words and pairs, logistic regression, 6 classes", "examples/topics/model.joblib"),
        ("random forest, 100 trees, 3 classes", "tests/fixtures/sizes/forest.joblib"),
    ] {
        let bytes = std::fs::read(Path::new(ROOT).join(file)).unwrap();
        let model = import::import(&bytes, &Options::default()).unwrap();
        let lowered = lower(&model, Want::Package).unwrap();
        let files =
            package::pack(&model, &lowered, package::runtime().unwrap(), &package::Options::new("model")).unwrap();
        let size: BTreeMap<&str, usize> =
            files.iter().map(|file| (file.name, package::gzipped(&file.bytes))).collect();
        let (index, wasm, data) = (size["index.js"], size["model.wasm"], package::gzipped(&lowered.image));
        let kb = |bytes: usize| format!("{:.1} KB", bytes as f64 / 1000.0);
        sizes += &format!("| {what} | {} | {} | {} | {} |\n", kb(index + wasm), kb(index), kb(wasm), kb(data));
        // The promises: a linear package under 8 KB in all, the code of a forest package under 16 KB.
        if file.contains("logistic") {
            assert!(index + wasm < 8 << 10, "{what}: {} bytes", index + wasm);
        }
        assert!(index + wasm - data < 16 << 10, "{what}: {} bytes of code", index + wasm - data);
    }
    section("sizes", &sizes);
}

#[test]
fn the_commands_and_the_code_run() {
    let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("readme");
    let _ = std::fs::remove_dir_all(&folder);
    std::fs::create_dir_all(folder.join("node_modules")).unwrap();
    #[cfg(unix)]
    std::os::unix::fs::symlink(Path::new(ROOT).join("examples"), folder.join("examples")).unwrap();
    let mut commands = 0;
    for block in blocks("sh") {
        for line in block.lines().filter(|line| !line.trim().is_empty()) {
            let words: Vec<&str> = line.split_whitespace().collect();
            assert_eq!(words[0], "carryout", "{line}");
            let output =
                Command::new(env!("CARGO_BIN_EXE_carryout")).args(&words[1..]).current_dir(&folder).output().unwrap();
            assert!(output.status.success(), "{line}: {}", String::from_utf8_lossy(&output.stderr));
            commands += 1;
        }
    }
    assert!(commands >= 3);
    // The package where npm install would put it.
    std::fs::rename(folder.join("pkg/iris"), folder.join("node_modules/iris")).unwrap();
    let code = &blocks("js")[0];
    std::fs::write(folder.join("example.mjs"), code).unwrap();
    let output = Command::new("node").arg("example.mjs").current_dir(&folder).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let said: Vec<&str> = code
        .lines()
        .filter(|line| line.starts_with("console.log"))
        .filter_map(|line| line.split_once("// "))
        .map(|line| line.1)
        .collect();
    assert_eq!(String::from_utf8_lossy(&output.stdout).trim_end().lines().collect::<Vec<_>>(), said);
}
