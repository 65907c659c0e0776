//! Names of code that reaches outside the process or runs more code. The list decides what is *reported*, not what is
//! run: nothing is ever run. It must not name what pickles of real models hold (scipy's `builtins.getattr`, numpy's
//! random constructors, Cython's unpicklers), which the corpus test checks.

/// Top-level modules of which every name is reported.
const MODULES: &[&str] = &[
    "_ctypes",
    "_imp",
    "_pickle",
    "_posixsubprocess",
    "_thread",
    "_winapi",
    "aiohttp",
    "asyncio",
    "bdb",
    "cPickle",
    "cProfile",
    "cloudpickle",
    "code",
    "codeop",
    "commands",
    "ctypes",
    "dill",
    "distutils",
    "ensurepip",
    "ftplib",
    "httplib",
    "idlelib",
    "imp",
    "importlib",
    "inspect",
    "lib2to3",
    "linecache",
    "marshal",
    "mmap",
    "msvcrt",
    "multiprocessing",
    "nt",
    "os",
    "pdb",
    "pickle",
    "pip",
    "pkgutil",
    "platform",
    "popen2",
    "posix",
    "profile",
    "pty",
    "pydoc",
    "requests",
    "resource",
    "runpy",
    "setuptools",
    "shelve",
    "shutil",
    "signal",
    "smtplib",
    "socket",
    "socketserver",
    "sqlite3",
    "ssl",
    "subprocess",
    "sys",
    "tempfile",
    "timeit",
    "trace",
    "types",
    "urllib",
    "urllib2",
    "venv",
    "webbrowser",
    "winreg",
    "xmlrpc",
    "zipimport",
];

/// Reported wherever they stand in a dotted path: modules that an innocent one imports (`sklearn.x` + `os.system`)
/// and vendored picklers of functions (`joblib.externals.cloudpickle`).
const ANYWHERE: &[&str] = &[
    "builtins",
    "__builtin__",
    "cloudpickle",
    "cloudpickle_wrapper",
    "ctypes",
    "dill",
    "importlib",
    "nt",
    "os",
    "posix",
    "pty",
    "shutil",
    "socket",
    "subprocess",
    "sys",
];

/// Last parts of a name that run or load code whatever their module.
const NAMES: &[&str] = &[
    "Popen",
    "eval",
    "exec",
    "execfile",
    "import_module",
    "loads",
    "popen",
    "read_pickle",
    "run_module",
    "run_path",
    "runstring",
    "system",
];

/// Functions of `builtins` that are reported. `getattr` is not: see [`attribute`].
const BUILTINS: &[&str] = &[
    "apply",
    "breakpoint",
    "compile",
    "delattr",
    "file",
    "globals",
    "input",
    "locals",
    "open",
    "raw_input",
    "reload",
    "setattr",
    "vars",
];

/// `module.name` pairs outside the modules above.
const PAIRS: &[(&str, &str)] = &[
    ("_io", "FileIO"),
    ("_io", "open"),
    ("_operator", "attrgetter"),
    ("_operator", "methodcaller"),
    ("codecs", "open"),
    ("io", "FileIO"),
    ("io", "open"),
    ("joblib", "load"),
    ("joblib.numpy_pickle", "load"),
    ("numpy", "load"),
    ("operator", "attrgetter"),
    ("operator", "methodcaller"),
    ("torch", "load"),
];

/// Whether a GLOBAL names code that a model has no use for.
pub(super) fn global(module: &str, name: &str) -> bool {
    let first = module.split('.').next().unwrap_or(module);
    let builtin = module.rsplit('.').next().is_some_and(|last| matches!(last, "builtins" | "__builtin__"));
    let last = name.rsplit('.').next().unwrap_or(name);
    MODULES.contains(&first)
        || NAMES.contains(&last)
        || (builtin && name.split('.').any(|part| BUILTINS.contains(&part)))
        || PAIRS.contains(&(module, name))
        || (!builtin && module.split('.').any(|part| ANYWHERE.contains(&part)))
        || name.split('.').any(attribute)
}

/// Whether an attribute of this name, reached by a dotted name or by `getattr`, leads to code: dunders reach
/// `__globals__` and `__subclasses__` of any function or class.
pub(super) fn attribute(name: &str) -> bool {
    let dunder = name.len() > 4 && name.starts_with("__") && name.ends_with("__");
    dunder && !matches!(name, "__newobj__" | "__newobj_ex__") || ANYWHERE.contains(&name) || NAMES.contains(&name)
}
