//! Two registries on one storage: a client may be answered by another one at each request.

use crate::support::{Stack, sha256};

#[tokio::test]
async fn an_upload_goes_on_wherever_it_is_sent() {
    let stack = Stack::start().await;
    let other = stack.replica();
    let first = stack.admin().repository("admin/app").await;
    let second = first.on(&other);
    let location = first.begin().await;
    let chunks = [(&second, "0-3", "0123"), (&first, "4-5", "45"), (&second, "6-9", "6789")];
    for (replica, range, chunk) in chunks {
        let request = replica.patch(&location).header("Content-Range", range).body(chunk);
        request.send().await.is(202);
        for reader in [&first, &second] {
            let status = reader.get(&location).send().await.is(204);
            assert_eq!(status.header("range"), format!("0-{}", range.split_once('-').unwrap().1));
        }
    }
    let digest = sha256(b"0123456789");
    first.put(&format!("{location}?digest={digest}")).send().await.is(201);
    for reader in [&first, &second] {
        assert_eq!(reader.get(&format!("blobs/{digest}")).send().await.is(200).text(), "0123456789");
        reader.get(&location).send().await.is(404);
    }
}

#[tokio::test]
async fn what_one_acknowledged_the_other_serves() {
    let stack = Stack::start().await;
    let other = stack.replica();
    let first = stack.admin().repository("admin/app").await;
    let second = first.on(&other);
    for (writer, reader) in [(&first, &second), (&second, &first)] {
        for layer in ["one", "two", "three"] {
            let image = writer.push_image("moving", layer).await;
            let read = reader.get("manifests/moving").send().await.is(200);
            assert_eq!(read.header("docker-content-digest"), image.digest);
        }
    }
}

#[tokio::test]
async fn pushes_of_one_tag_at_once_leave_one_of_them_everywhere() {
    let stack = Stack::start().await;
    let other = stack.replica();
    let app = stack.admin().repository("admin/app").await;
    app.push_blob(b"{}").await;
    let images: Vec<_> = (0..8).map(|number| format!("layer {number}")).collect();
    let pushes = images.iter().enumerate().map(|(number, layer)| {
        let replica = if number % 2 == 0 { app.clone() } else { app.on(&other) };
        async move { replica.push_image("contested", layer).await.digest }
    });
    let digests = futures_util::future::join_all(pushes).await;
    let winner = app.get("manifests/contested").send().await.is(200).header("docker-content-digest").to_owned();
    assert!(digests.contains(&winner));
    let told = stack.admin().asks(reqwest::Method::GET, "/api/v1/repositories/admin/app/-/tags").send().await.is(200);
    assert_eq!(told.json()["items"][0]["digest"], winner, "the index knows the one that storage holds");
    let intents = std::fs::read_dir(stack.stored("berth/intents/admin/app/_tags")).unwrap();
    assert_eq!(intents.count(), 0, "no intent is left");
}
