//! Two registries on one storage: a client may be answered by another one at each request.

use crate::support::{Program, Stack, sha256};

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

#[tokio::test]
async fn no_byte_is_added_to_what_an_upload_has_become() {
    let stack = Stack::start().await;
    let other = stack.replica();
    let first = stack.admin().repository("admin/app").await;
    let second = first.on(&other);
    for place in ["upload sealed", "blob placed"] {
        let location = first.begin().await;
        first.patch(&location).body(place).send().await.is(202);
        let digest = sha256(place.as_bytes());
        let stop = stack.arm(&format!("stop pause {place}"));
        let finish = first.put(&format!("{location}?digest={digest}")).send();
        let append = async {
            stop.reached().await;
            second.patch(&location).body("more").send().await.is(416);
            drop(stop);
        };
        let (finished, ()) = tokio::join!(finish, append);
        finished.is(201);
        second.patch(&location).body("more").send().await.is(404);
        assert_eq!(second.get(&format!("blobs/{digest}")).send().await.is(200).text(), place);
    }
    // And without a stop, in whatever order they come.
    for round in 0..40 {
        let content = format!("round {round}");
        let location = first.begin().await;
        first.patch(&location).body(content.clone()).send().await.is(202);
        let digest = sha256(content.as_bytes());
        let finish = first.put(&format!("{location}?digest={digest}")).send();
        let (finished, appended) = tokio::join!(finish, second.patch(&location).body("more").send());
        let outcome = (finished.status, appended.status);
        // The writer that came first keeps the other out; bytes added before the end make it another blob.
        assert!([(201, 416), (201, 404), (416, 202), (400, 202)].contains(&outcome), "{outcome:?}");
        if finished.status == 201 {
            assert_eq!(first.get(&format!("blobs/{digest}")).send().await.is(200).text(), content);
        }
    }
}

#[tokio::test]
async fn deletes_do_not_wait_for_the_hash_of_a_blob_that_is_there() {
    let stack = Stack::start().await;
    let app = stack.admin().repository("admin/app").await;
    let image = app.push_image("v1", "layer").await;
    let location = app.begin().await;
    app.patch(&location).body("layer").send().await.is(202);
    let stop = stack.arm("stop pause blob vetted");
    let digest = sha256(b"layer");
    let finish = app.put(&format!("{location}?digest={digest}")).send();
    let delete = async {
        stop.reached().await;
        app.delete(&format!("manifests/{}", image.digest)).send().await.is(202);
        app.delete(&format!("blobs/{digest}")).send().await.is(202);
        // What was looked at is gone, and something else has come to its place.
        let data = stack.stored(&format!("blobs/sha256/{}/{}/data", &digest[7..9], &digest[7..]));
        std::fs::remove_file(&data).unwrap();
        std::fs::write(&data, "wrong").unwrap();
        drop(stop);
    };
    let (finished, ()) = tokio::join!(finish, delete);
    finished.is(201);
    assert_eq!(app.get(&format!("blobs/{digest}")).send().await.is(200).text(), "layer");
}

#[tokio::test]
async fn an_upload_begun_in_one_process_goes_on_in_another_and_survives_the_first() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let first = Program::start_well(&data).await;
    let second = Program::start_well(&data).await;
    let app = first.admin().repository("admin/app").await;
    let location = app.begin().await;
    app.patch(&location).body("begun, ").send().await.is(202);
    let other = app.on(&second.host);
    let range = other.patch(&location).body("gone on with, ").send().await.is(202).header("range").to_owned();
    assert_eq!(range, "0-20");
    // Killed, not stopped: what it acknowledged is all that counts.
    drop(first);
    let first = Program::start_well(&data).await;
    let app = app.on(&first.host);
    assert_eq!(app.get(&location).send().await.is(204).header("range"), range);
    let digest = sha256(b"begun, gone on with, finished");
    app.put(&format!("{location}?digest={digest}")).body("finished").send().await.is(201);
    for reader in [&app, &other] {
        let read = reader.get(&format!("blobs/{digest}")).send().await.is(200);
        assert_eq!(read.text(), "begun, gone on with, finished");
    }
}
