//! Streams assembled by hand, opcode by opcode: what the fixtures' picklers would not write.

use super::{Heap, Kind, Limits, Value, looks_like, read};
use crate::Kind as ErrorKind;

fn heap(bytes: &[u8]) -> Heap {
    read(bytes, &Limits::default()).unwrap_or_else(|error| panic!("{}: {error}", bytes.escape_ascii()))
}

#[track_caller]
fn refused(bytes: &[u8], kind: ErrorKind, text: &str) {
    let error = read(bytes, &Limits::default()).unwrap_err();
    assert_eq!((error.kind(), error.to_string().as_str()), (kind, text));
}

/// A value as Python would print it.
fn show(value: Value<'_>) -> String {
    let all = |items: super::Items<'_>| items.map(show).collect::<Vec<_>>().join(", ");
    match value.kind() {
        Kind::None => "None".into(),
        Kind::Bool(value) => format!("{value}"),
        Kind::Int(value) => format!("{value}"),
        Kind::BigInt(bytes) => format!("big {bytes:?}"),
        Kind::Float(value) => format!("{value:?}"),
        Kind::Complex(re, im) => format!("({re:?}, {im:?})"),
        Kind::Str(text) => format!("{text:?}"),
        Kind::Surrogates(bytes) => format!("surrogates {bytes:x?}"),
        Kind::Bytes(bytes) => format!("b'{}'", bytes.escape_ascii()),
        Kind::List(items) => format!("[{}]", all(items)),
        Kind::Tuple(items) => format!("({})", all(items)),
        Kind::Set(items) => format!("set({})", all(items)),
        Kind::Dict(pairs) => {
            let pairs: Vec<_> = pairs.map(|(key, item)| format!("{}: {}", show(key), show(item))).collect();
            format!("{{{}}}", pairs.join(", "))
        }
        Kind::Slice(parts) => format!("slice({})", parts.map(show).join(", ")),
        Kind::Global { module, name } => format!("{module}.{name}"),
        Kind::Dtype(dtype) => format!("dtype {dtype}"),
        Kind::Array(array) => array.describe(),
        Kind::Object(object) => {
            let mut out = format!("{}{}", show(object.class()), show(object.args()));
            for (part, name) in [(object.kwargs(), "kwargs"), (object.state(), "state")] {
                if !part.is_none() {
                    out += &format!(" {name} {}", show(part));
                }
            }
            if !object.items().is_empty() {
                out += &format!(" items [{}]", all(object.items()));
            }
            for (key, item) in object.pairs() {
                out += &format!(" [{}] = {}", show(key), show(item));
            }
            out
        }
    }
}

#[track_caller]
fn shows(bytes: &[u8], text: &str) {
    assert_eq!(show(heap(bytes).root()), text, "{}", bytes.escape_ascii());
}

#[test]
fn numbers() {
    shows(b"I01\n.", "true");
    shows(b"I00\n.", "false");
    shows(b"I1\n.", "1");
    shows(b"I-12\r\n.", "-12");
    shows(b"L7L\n.", "7");
    shows(b"L-9223372036854775808L\n.", "-9223372036854775808");
    shows(b"L9223372036854775808L\n.", "big [0, 0, 0, 0, 0, 0, 0, 128, 0]");
    shows(b"L-9223372036854775809L\n.", "big [255, 255, 255, 255, 255, 255, 255, 127, 255]");
    shows(b"F-1.5e3\n.", "-1500.0");
    shows(b"Fnan\n.", "NaN");
    shows(b"J\xff\xff\xff\xff.", "-1");
    shows(b"M\x00\x01.", "256");
    shows(b"\x8a\x00.", "0");
    shows(b"\x8a\x01\xff.", "-1");
    // Needless sign bytes.
    shows(b"\x8a\x0a\x05\0\0\0\0\0\0\0\0\0.", "5");
    shows(b"\x8a\x09\0\0\0\0\0\0\0\x80\xff.", "-9223372036854775808");
    shows(b"\x8b\x01\0\0\0\x02.", "2");
    shows(b"G\x3f\xf8\0\0\0\0\0\0.", "1.5");
    refused(b"\x80\x04L12x\n.", ErrorKind::Malformed, "byte 2: an integer that is no number");
    refused(b"\x80\x04\x8b\xff\xff\xff\xff.", ErrorKind::Malformed, "byte 2: an integer of negative length");
}

#[test]
fn text() {
    shows(b"S'a\\n\\x41\\101\\'\\\\'\n.", r#""a\nAA'\\""#);
    shows(b"S\"it's\"\n.", r#""it's""#);
    shows(b"S'\\xff'\n.", r"b'\xff'");
    shows(b"V\xe9\\u00e9\\U0001f980\\n\n.", r#""éé🦀\\n""#);
    shows(b"V\\ud800\n.", "surrogates [ed, a0, 80]");
    shows(b"U\x01a.", r#""a""#);
    shows(b"T\x01\0\0\0\xff.", r"b'\xff'");
    shows(b"\x8d\x01\0\0\0\0\0\0\0a.", r#""a""#);
    shows(b"X\x04\0\0\0a\xed\xa0\x80.", "surrogates [61, ed, a0, 80]");
    refused(b"\x80\x04X\x03\0\0\0\xed\xa0a.", ErrorKind::Malformed, "byte 2: text that is not UTF-8");
    refused(b"\x80\x04Va\\u12", ErrorKind::Malformed, "byte 2: the file ends within a line: it is cut");
    refused(b"\x80\x04V\\u12\n.", ErrorKind::Malformed, "byte 2: a broken \\u escape");
    refused(b"\x80\x04S'a\n.", ErrorKind::Malformed, "byte 2: a string without its quotes");
}

#[test]
fn containers() {
    shows(b"(I1\nI2\nl.", "[1, 2]");
    shows(b"(I1\nI2\nt.", "(1, 2)");
    shows(b"(I1\nI2\nd.", "{1: 2}");
    shows(b"(lp0\nI1\na.", "[1]");
    shows(b"](K\x01K\x02e.", "[1, 2]");
    shows(b"}(K\x01K\x02K\x03K\x04u.", "{1: 2, 3: 4}");
    shows(b"\x8f(K\x01K\x02\x90.", "set(1, 2)");
    shows(b"(K\x01\x91.", "set(1)");
    shows(b"K\x01K\x02K\x03\x87.", "(1, 2, 3)");
    shows(b"K\x01K\x022\x87.", "(1, 2, 2)");
    shows(b"K\x01K\x020.", "1");
    shows(b"K\x01(K\x02K\x031.", "1");
    // POP of a bare mark.
    shows(b"K\x01(0.", "1");
    refused(b"\x80\x04K\x01(a.", ErrorKind::Malformed, "byte 5: the stack is empty where a value is needed");
    refused(b"\x80\x04}]K\x01s.", ErrorKind::Malformed, "byte 6: a list of 0 as a key or in a set");
    refused(b"\x80\x04N(K\x01u.", ErrorKind::Malformed, "byte 6: a key without a value");
}

#[test]
fn repeated_keys_and_shared_values() {
    let bytes = b"}(U\x01aK\x01U\x01aK\x02u.";
    assert_eq!(heap(bytes).root().get("a").unwrap().as_i64(), Some(2));
    let bytes = b"]q\0h\0h\0\x87.";
    let heap = heap(bytes);
    let ids: Vec<u32> = heap.root().items().unwrap().map(Value::id).collect();
    assert!(ids[0] == ids[1] && ids[1] == ids[2]);
}

#[test]
fn memo() {
    // MEMOIZE takes the number of entries, also after a gap.
    shows(b"K\x07q\x050K\x08\x940h\x01.", "8");
    shows(b"K\x07q\x010K\x08q\x000h\x00h\x01\x86.", "(8, 7)");
    shows(b"K\x07q\x030K\x01q\x00q\x01q\x02q\x03h\x03.", "1");
    shows(b"K\x07r\xff\xff\xff\xff0j\xff\xff\xff\xff.", "7");
    shows(b"Np18446744073709551615\ng18446744073709551615\n.", "None");
    refused(b"\x80\x04h\x07.", ErrorKind::Malformed, "byte 2: memo entry 7 does not exist");
    refused(b"\x80\x04Np-1\n.", ErrorKind::Malformed, "byte 3: a memo index that is no number");
}

#[test]
fn objects() {
    shows(b"cm\nC\n.", "m.C");
    shows(b"cm\nC\n)\x81}U\x01aK\x01sb.", r#"m.C() state {"a": 1}"#);
    shows(b"cm\nC\nK\x01\x85R.", "m.C(1)");
    shows(b"cm\nC\n)}U\x01kK\x01s\x92.", r#"m.C() kwargs {"k": 1}"#);
    shows(b"(K\x01im\nC\n.", "m.C(1)");
    shows(b"(cm\nC\nK\x01o.", "m.C(1)");
    shows(b"cm\nC\n)\x81K\x01aK\x02K\x03s.", "m.C() items [1] [2] = 3");
    shows(b"ccopyreg\n__newobj__\ncm\nC\nK\x05\x86R.", "m.C(5)");
    shows(b"ccopy_reg\n_reconstructor\ncm\nC\nc__builtin__\ndict\n}K\x01K\x02s\x87R.", {
        "m.C(m.C, __builtin__.dict, {1: 2}) [1] = 2"
    });
    // A class that comes from a call.
    shows(b"cm\nf\n)R)\x81.", "m.f()()");
    // State set on an object after it was shared.
    let shared = heap(b"cm\nC\n)\x81q\0h\0}U\x01aK\x01sb\x86.");
    let first = shared.root().items().unwrap().next().unwrap();
    assert_eq!(first.attr("a").unwrap().as_i64(), Some(1));
    assert_eq!(first.class_name(), Some(("m", "C")));
    assert_eq!(first.describe(), "a m.C object");
    // State with slots.
    let slots = heap(b"cm\nC\n)\x81N}U\x01aK\x01s\x86b.");
    assert_eq!(slots.root().attr("a").unwrap().as_i64(), Some(1));
    refused(
        b"\x80\x04cm\nC\n)\x81}b}b.",
        ErrorKind::Malformed,
        "byte 12: the file would set a second state of a m.C object",
    );
}

#[test]
fn known_calls() {
    shows(b"c_codecs\nencode\nX\x03\0\0\0a\xc3\xbfU\x06latin1\x86R.", r"b'a\xff'");
    shows(b"c__builtin__\nbytes\n)R.", "b''");
    shows(b"cbuiltins\nbytearray\nC\x02ab\x85R.", "b'ab'");
    shows(b"cbuiltins\nslice\nK\x01NN\x87R.", "slice(1, None, None)");
    shows(b"c__builtin__\nset\n](K\x01K\x02e\x85R.", "set(1, 2)");
    shows(b"cbuiltins\ncomplex\nK\x01K\x02\x86R.", "(1.0, 2.0)");
    shows(b"ccollections\nOrderedDict\n](](U\x01aK\x01ee\x85R.", r#"{"a": 1}"#);
    shows(b"ccollections\ndefaultdict\nc__builtin__\nlist\n\x85RK\x01K\x02s.", "{1: 2}");
    shows(b"cnumpy\ndtype\nU\x02f8K\x00K\x01\x87R.", "dtype float64");
    // Lists of pairs that are none.
    refused(
        b"\x80\x04ccollections\nOrderedDict\n]K\x01a\x85R.",
        ErrorKind::Malformed,
        "byte 32: the file would take as a dict entry an int",
    );
    refused(
        b"\x80\x04c_codecs\nencode\nX\x03\0\0\0\xe2\x82\xacU\x06latin1\x86R.",
        ErrorKind::Malformed,
        "byte 35: bytes written as text hold a character over U+00FF",
    );
}

#[track_caller]
fn names(bytes: &[u8], want: &[&str]) {
    let heap = heap(bytes);
    let names: Vec<&str> = heap.named_code().iter().map(|named| named.name.as_str()).collect();
    assert_eq!(names, want, "{}", bytes.escape_ascii());
}

#[test]
fn code_is_named_and_not_refused() {
    names(b"cos\nsystem\n.", &["os.system"]);
    names(b"cos.path\njoin\n.", &["os.path.join"]);
    names(b"cbuiltins\neval\n.", &["builtins.eval"]);
    names(b"csklearn.externals.six.moves.builtins\nopen\n.", &["sklearn.externals.six.moves.builtins.open"]);
    names(b"cjoblib.externals.cloudpickle.cloudpickle\n_make_function\n.", {
        &["joblib.externals.cloudpickle.cloudpickle._make_function"]
    });
    names(b"csklearn.base\nClass.__init__.__globals__\n.", &["sklearn.base.Class.__init__.__globals__"]);
    names(b"cnumpy\nos\n.", &["numpy.os"]);
    names(b"ctypes\nCodeType\ncos\nsystem\ncos\nsystem\n\x87.", &["types.CodeType", "os.system"]);
    names(b"cbuiltins\ngetattr\ncm\nC\nU\x0b__globals__\x86R.", &["builtins.getattr(..., \"__globals__\")"]);
}

#[test]
fn code_of_real_models_is_not_named() {
    let innocent: [&[u8]; 12] = [
        b"cbuiltins\ngetattr\ncscipy.stats._continuous_distns\nuniform_gen\nU\x03cdf\x86R.",
        b"c__builtin__\nobject\n.",
        b"ccopyreg\n__newobj__\n.",
        b"cnumpy.random._pickle\n__randomstate_ctor\n.",
        b"cnumpy.random.bit_generator\n__pyx_unpickle_SeedSequence\n.",
        b"c__main__\nMyTransformer\n.",
        b"cfunctools\npartial\n.",
        b"cscipy.signal\nlfilter\n.",
        b"ccollections\nOrderedDict\n.",
        b"cdatetime\ndatetime\n.",
        b"cpathlib\nPosixPath\n.",
        b"cbuiltins\nprint\n.",
    ];
    for bytes in innocent {
        names(bytes, &[]);
    }
}

#[test]
fn limits_are_named() {
    let nested: Vec<u8> = [vec![b']'; 50], vec![b'a'; 49], vec![b'.']].concat();
    assert!(read(&nested, &Limits { depth: 49, ..Limits::default() }).is_ok());
    let cases = [
        (Limits { depth: 48, ..Limits::default() }, "objects nest deeper than 48 (limit depth)"),
        (Limits { input_bytes: 99, ..Limits::default() }, "the file is larger than 99 (limit input_bytes)"),
        (
            Limits { heap_bytes: 1000, ..Limits::default() },
            "byte 31: the objects of the file take more bytes than 1000 (limit heap_bytes)",
        ),
    ];
    for (limits, text) in cases {
        let error = read(&nested, &limits).unwrap_err();
        assert_eq!((error.kind(), error.to_string().as_str()), (ErrorKind::Limit, text));
        assert!(error.remedy_text().unwrap().contains("raise the limit"));
    }
}

#[test]
fn a_sparse_matrix_has_its_own_limit() {
    let bytes = b"cscipy.sparse._csr\ncsr_matrix\n)\x81}U\x06_shapeJ\0\0\x01\0J\0\0\x01\0\x86sb.";
    let heap = heap(bytes);
    let error = heap.root().to_array().err().unwrap();
    assert_eq!(error.kind(), ErrorKind::Limit);
}

#[test]
fn sniffing() {
    for bytes in [&b"\x80\x04N."[..], b"(lp0\n.", b"ccopy_reg\n_reconstructor\np0\n.", b"}q\0."] {
        assert!(looks_like(bytes), "{}", bytes.escape_ascii());
    }
    let others: [&[u8]; 12] = [
        b"",
        b"{\"a\": 1}",
        b"[1, 2]",
        b"tree\nversion=v4\n",
        b"class,x\na,1\n",
        b"class\nb\n",
        b"<html>",
        b"\x80\x09",
        b"x\x9c\x03\x00\x00\x00\x00\x01",
        b"PK\x03\x04",
        b"\x93NUMPY",
        b"(a, b)\n",
    ];
    for bytes in others {
        assert!(!looks_like(bytes), "{}", bytes.escape_ascii());
    }
}
