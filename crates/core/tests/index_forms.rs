//! An index in other forms: of numbers of other types, and as bytes.

#![allow(clippy::unwrap_used)] // a failure is the test failing

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

/// The bytes of the floats that vectors come back as.
fn bits(index: &Index, id: u64) -> Vec<u32> {
    match index.get(id).unwrap() {
        Some(Vector::Floats(values)) => values.into_iter().map(f32::to_bits).collect(),
        other => panic!("{other:?}"),
    }
}

/// The ids and distances of some exact searches, and of some others.
fn answers(index: &Index, queries: &[f32]) -> [Vec<(Vec<u64>, Vec<u32>)>; 2] {
    [Effort::Exact, Effort::Ef(80)].map(|effort| {
        let search = Search { effort, ..Search::new(8) };
        let found = queries.chunks(index.dim()).map(|query| index.search(query, &search).unwrap());
        found.map(|hits| (hits.ids, hits.distances.into_iter().map(f32::to_bits).collect())).collect()
    })
}

#[test]
fn whole_numbers_take_a_byte_and_answer_as_floats_do() {
    const DIM: usize = 21;
    let folder = tempfile::tempdir().unwrap();
    let signed: Vec<f32> = numbers(3000 * DIM).into_iter().map(f32::from).collect();
    let unsigned: Vec<f32> = signed.iter().map(|value| value + 100.0).collect();
    for metric in Metric::ALL.into_iter().filter(|metric| !metric.is_binary()) {
        for (values, stored_as) in [(&signed, "int8"), (&unsigned, "uint8")] {
            let mut index = index_of(Vectors::Floats(values), DIM, metric);
            assert_eq!(index.info().stored_as, stored_as);
            let mut queries = values[..20 * DIM].to_vec();
            queries.extend(values[..20 * DIM].iter().map(|value| value * 0.7 + 0.1));
            let before = answers(&index, &queries);

            let path = folder.path().join("whole.linjin");
            index.save(&path).unwrap();
            Index::verify(&path).unwrap();
            index = Index::open(&path).unwrap();
            assert_eq!(index.info().stored_as, stored_as);
            assert_eq!(answers(&index, &queries), before);
            Index::salvage(&path, folder.path().join("salvaged.linjin")).unwrap();
            assert_eq!(
                bits(&Index::open(folder.path().join("salvaged.linjin")).unwrap(), 7),
                bits(&index, 7)
            );

            // More of the same kind, in place of others too, changes nothing about it.
            index.add(&values[..DIM], Some(&[9000]), &Add::default()).unwrap();
            index.add(&values[DIM..2 * DIM], Some(&[5]), &Add { replace: true, ..Add::default() }).unwrap();
            index
                .add(&values[5 * DIM..6 * DIM], Some(&[5]), &Add { replace: true, ..Add::default() })
                .unwrap();
            index.remove(&[9000]).unwrap();
            assert_eq!(index.info().stored_as, stored_as);
            assert_eq!(answers(&index, &queries)[0], before[0]);

            // Others are taken as they are, and what was there stays the same; a zero keeps its sign.
            let mut other = vec![0.5; DIM];
            other[3] = -0.0;
            index.add(&other, Some(&[9001]), &Add::default()).unwrap();
            assert_eq!(index.info().stored_as, "float32");
            assert_eq!(bits(&index, 9001), other.iter().map(|value| value.to_bits()).collect::<Vec<_>>());
            for id in 0..3000 {
                let row = &values[id as usize * DIM..][..DIM];
                assert_eq!(bits(&index, id), row.iter().map(|value| value.to_bits()).collect::<Vec<_>>());
            }
            index.remove(&[9001]).unwrap();
            assert_eq!(answers(&index, &queries)[0], before[0], "{metric:?} {stored_as}");
            index.optimize(None).unwrap();
            assert_eq!(index.info().stored_as, stored_as);
            assert_eq!(answers(&index, &queries)[0], before[0]);
        }
    }
}

#[test]
fn a_zero_with_a_sign_is_no_whole_number() {
    let mut values: Vec<f32> = numbers(2500 * 4).into_iter().map(f32::from).collect();
    values[77] = -0.0;
    let index = index_of(Vectors::Floats(&values), 4, Metric::Euclidean);
    assert_eq!(index.info().stored_as, "float32");
    assert_eq!(bits(&index, 77 / 4)[77 % 4], (-0.0_f32).to_bits());
}
