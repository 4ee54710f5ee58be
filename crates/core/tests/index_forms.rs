//! An index in other forms: of numbers of other types, and as bytes.

use half::f16;
use linjin::index::error::{OpenError, UpdateError};
use linjin::index::{Add, Effort, Index, Metric, Search, Vector, Vectors};

/// Whole numbers from −100 to 100 that look random: every type holds them exactly.
fn numbers(n: usize) -> Vec<i8> {
    let mut state = 0x9E37_79B9_u32;
    (0..n)
        .map(|_| {
            state ^= state << 13;
            state ^= state >> 17;
            state ^= state << 5;
            ((state % 201) as i16 - 100) as i8
        })
        .collect()
}

fn index_of(vectors: Vectors<'_>, dim: usize, metric: Metric) -> Index {
    let index = Index::new(dim, metric).expect("a dimension");
    index.add(vectors, None, &Add::default()).expect("sound vectors");
    index
}

#[test]
fn numbers_of_every_type_are_stored_and_asked_with_as_float32() {
    const DIM: usize = 24;
    let bytes = numbers(3000 * DIM);
    let floats: Vec<f32> = bytes.iter().map(|&value| value.into()).collect();
    let doubles: Vec<f64> = bytes.iter().map(|&value| value.into()).collect();
    let halves: Vec<f16> = bytes.iter().map(|&value| f16::from_f32(value.into())).collect();
    let index = index_of(Vectors::Floats(&floats), DIM, Metric::Euclidean);
    let forms = [Vectors::Doubles(&doubles), Vectors::Halves(&halves), Vectors::Bytes(&bytes)];
    let queries = [
        Vectors::Doubles(&doubles[..10 * DIM]),
        Vectors::Halves(&halves[..10 * DIM]),
        Vectors::Bytes(&bytes[..10 * DIM]),
    ];
    let search = Search { effort: Effort::Ef(60), ..Search::new(7) };
    let wanted = index.search_many(Vectors::Floats(&floats[..10 * DIM]), &search).expect("sound queries");
    for (vectors, queries) in forms.into_iter().zip(queries) {
        let other = index_of(vectors, DIM, Metric::Euclidean);
        assert_eq!(other.get(2999).unwrap(), Some(Vector::Floats(floats[2999 * DIM..].to_vec())));
        assert_eq!(other.search_many(queries, &search).expect("sound queries"), wanted);
    }
}

#[test]
fn what_is_not_finite_as_float32_is_refused() {
    let index = index_of(Vectors::Bytes(&[1, 2]), 2, Metric::Dot);
    let halves = [f16::ONE, f16::ONE, f16::ONE, f16::INFINITY];
    for vectors in [Vectors::Doubles(&[1.0, 2.0, 3.0, 1e300]), Vectors::Halves(&halves)] {
        let refused = index.add(vectors, None, &Add::default());
        assert!(matches!(refused, Err(UpdateError::NotFinite { row: 1, column: 1, .. })), "{refused:?}");
    }
    let bits = Index::new(16, Metric::Hamming).expect("a dimension");
    assert!(matches!(
        bits.add(Vectors::Bytes(&[1, 2]), None, &Add::default()),
        Err(UpdateError::Kind { .. })
    ));
    assert_eq!((index.len(), bits.len()), (1, 0));
}

#[test]
fn bytes_are_an_index_again() {
    let floats: Vec<f32> = numbers(2500 * 8).into_iter().map(f32::from).collect();
    for (n, metric) in [(0, Metric::Cosine), (3, Metric::Cosine), (2500, Metric::Manhattan)] {
        let index = index_of(Vectors::Floats(&floats[..n * 8]), 8, metric);
        if n > 3 {
            index.remove(&[5]).expect("it is there");
        }
        let bytes = index.to_bytes().expect("there is memory");
        let twin = Index::from_bytes(&bytes).expect("sound bytes");
        assert_eq!((twin.ids().unwrap(), twin.info().curve), (index.ids().unwrap(), index.info().curve));
        assert_eq!(twin.to_bytes().expect("there is memory"), bytes);
        let search = Search::new(5);
        let query = &floats[..8];
        assert_eq!(twin.search(query, &search).expect("sound"), index.search(query, &search).expect("sound"));
        twin.add(&floats[..8], Some(&[70_000]), &Add::default()).expect("a new id");
        assert!(!index.contains(70_000).unwrap());
    }
}

#[test]
fn damaged_bytes_are_refused() {
    let floats: Vec<f32> = numbers(2100 * 4).into_iter().map(f32::from).collect();
    let whole = index_of(Vectors::Floats(&floats), 4, Metric::Cosine).to_bytes().expect("there is memory");
    for at in (0..whole.len()).step_by(whole.len() / 200) {
        assert!(Index::from_bytes(&whole[..at]).is_err(), "cut at {at}");
        let mut flipped = whole.clone();
        flipped[at] ^= 0x10;
        assert!(Index::from_bytes(&flipped).is_err(), "flipped at {at}");
    }
    assert!(matches!(Index::from_bytes(b"something else"), Err(OpenError::Foreign { .. })));
    assert!(matches!(Index::from_bytes(&[]), Err(OpenError::Foreign { .. })));
}
