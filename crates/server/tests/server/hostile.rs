//! Bodies too large, bombs, links that lead out, paths that climb, too many at once.

use axum::http::StatusCode;
use serde_json::json;

use crate::{Room, drawing, png, wait};

#[test]
fn what_is_handed_in_is_looked_at_first() {
    let room = Room::new();
    let served = room.serve();
    let whole = png(&drawing(1, 300, 200));
    // A header that promises 60,000 x 60,000 pixels: the sum behind it is right.
    let mut bomb = whole.clone();
    bomb[16..24].copy_from_slice(&[0, 0, 0xEA, 0x60, 0, 0, 0xEA, 0x60]);
    let sum = crc(&bomb[12..29]);
    bomb[29..33].copy_from_slice(&[24, 16, 8, 0].map(|shift| (sum >> shift) as u8));
    wait(async {
        for (bytes, status, code) in [
            (vec![], 415, "not_a_picture"),
            (b"<svg xmlns='http://www.w3.org/2000/svg' onload='alert(1)'/>".to_vec(), 415, "not_a_picture"),
            (b"<html><script>alert(1)</script>".to_vec(), 415, "not_a_picture"),
            (vec![0; 4096], 415, "not_a_picture"),
            (whole[..whole.len() / 2].to_vec(), 422, "damaged_picture"),
            (bomb, 413, "too_large"),
            (vec![0xFF; (25 << 20) + 1], 413, "too_large"),
        ] {
            let answer = served.hand_in(bytes).await;
            assert_eq!(answer.problem(status), code);
        }
        let long = json!({ "terms": [{ "words": "x".repeat(100_000) }] });
        assert_eq!(served.post("/api/search", &long).await.problem(413), "too_large");
        assert_eq!(served.hand_in(whole).await.status, 200, "and it goes on");
    });
}

#[test]
fn paths_do_not_climb() {
    let room = Room::new();
    std::fs::write(room.path("secret.txt"), "secret").unwrap();
    let served = room.serve();
    wait(async {
        for path in [
            "/web/../Cargo.toml",
            "/web/..%2fCargo.toml",
            "/web/%2e%2e/Cargo.toml",
            "/web/....//Cargo.toml",
            "/web//etc/passwd",
            "/web/%2fetc%2fpasswd",
            "/web/js/../../../Cargo.toml",
            "/web/..%5cCargo.toml",
            "/web/%00",
            "/etc/passwd",
            "/api/pictures/..%2f..%2fsecret.txt/original",
            "/api/pictures/1%2f../original",
            "/api/pictures/1/original/../../secret.txt",
            "/api/uploads/..%2f..%2fsecret.txt/preview",
            "/secret.txt",
            "/web/secret.txt",
            "/api/pictures/secret.txt",
        ] {
            let answer = served.get(path).await;
            assert!([400, 404].contains(&answer.status.as_u16()), "{path}: {}", answer.status);
            let text = String::from_utf8_lossy(&answer.body).into_owned();
            assert!(
                !text.contains("[package]") && !text.contains("root:") && !text.contains("secret\n"),
                "{path}"
            );
        }
        // A filter names folders of the collection; others hold nothing.
        for folder in ["..", "../..", "/etc", "drawn/../..", "%2e%2e"] {
            assert_eq!(served.json(&format!("/api/pictures?folder={folder}")).await["total"], 0, "{folder}");
        }
    });
}

#[cfg(unix)]
#[test]
fn links_and_pipes_in_the_place_of_a_picture_are_refused() {
    use std::os::unix::fs::symlink;

    let outside = tempfile::tempdir().unwrap();
    let secret = outside.path().join("secret.png");
    drawing(99, 64, 64).save(&secret).unwrap();
    let room = Room::new();
    let served = room.serve();
    wait(async {
        let id = served.id("drawn/7").await;
        let place = room.path("drawn/7.png");
        std::fs::remove_file(&place).unwrap();
        for target in [secret.as_path(), std::path::Path::new("../../../../../../../../etc/passwd")] {
            symlink(target, &place).unwrap();
            for what in ["original", "preview"] {
                assert_eq!(served.get(&format!("/api/pictures/{id}/{what}")).await.problem(404), "file_gone");
            }
            std::fs::remove_file(&place).unwrap();
        }
        // Nor through a folder that became a link.
        std::fs::create_dir(outside.path().join("drawn")).unwrap();
        drawing(99, 64, 64).save(outside.path().join("drawn/8.png")).unwrap();
        let eight = served.id("drawn/8").await;
        std::fs::rename(room.path("drawn"), room.path("was")).unwrap();
        symlink(outside.path().join("drawn"), room.path("drawn")).unwrap();
        assert_eq!(served.get(&format!("/api/pictures/{eight}/original")).await.problem(404), "file_gone");
        std::fs::remove_file(room.path("drawn")).unwrap();
        std::fs::rename(room.path("was"), room.path("drawn")).unwrap();
        assert_eq!(served.get(&format!("/api/pictures/{eight}/original")).await.status, StatusCode::OK);
        // A pipe would never end.
        let made = std::process::Command::new("mkfifo").arg(&place).status().unwrap();
        assert!(made.success());
        assert_eq!(served.get(&format!("/api/pictures/{id}/original")).await.problem(404), "file_gone");
    });
}

#[test]
fn too_many_at_once_are_sent_away_and_the_rest_is_answered() {
    let room = Room::new();
    let served = std::sync::Arc::new(room.serve());
    wait(async {
        let picture = png(&drawing(1, 1500, 1000));
        let asked: Vec<_> = (0..200)
            .map(|_| {
                let (served, picture) = (std::sync::Arc::clone(&served), picture.clone());
                tokio::spawn(async move { served.hand_in(picture).await.status.as_u16() })
            })
            .collect();
        let mut answers = Vec::new();
        for answer in asked {
            answers.push(answer.await.unwrap());
        }
        let count = |status| answers.iter().filter(|&&answer| answer == status).count();
        assert!(count(429) > 0 && count(200) >= 32 && count(200) + count(429) == 200, "{answers:?}");
        let after = served.hand_in(picture).await;
        assert_eq!(after.status, 200);
    });
}

/// The sum that PNG files carry behind each chunk.
fn crc(bytes: &[u8]) -> u32 {
    !bytes.iter().fold(u32::MAX, |sum, &byte| {
        (0..8).fold(sum ^ u32::from(byte), |sum, _| (sum >> 1) ^ (0xEDB8_8320 & (sum & 1).wrapping_neg()))
    })
}
