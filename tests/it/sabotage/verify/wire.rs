//! What goes wrong in the connection: an answer counts only when its end is proven.

use apiserver_model::{Framing, Reply};
use serde_json::json;

use super::super::{KEYS, OTHER, SUCCESS, Scene, UNDECIDED, UNHEALTHY, replica};
use super::{Told, verify, verify_by};

/// Replica 1 answers like this.
async fn answered(reply: Reply) -> Told {
    let scene = Scene::new().await.answer(replica(1), reply);
    verify(&scene).await
}

/// The bytes of a whole answer.
fn whole(body: &str) -> String {
    format!(
        "HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    )
}

#[tokio::test]
async fn the_same_keys_in_chunks_are_the_same_keys() {
    answered(Reply::ok(KEYS).framed(Framing::Chunked))
        .await
        .is(SUCCESS, "success")
        .saying("all 2 replicas serve the same 16 bytes");
}

#[tokio::test]
async fn a_body_that_breaks_off_is_incomplete_however_it_is_framed() {
    for framing in [Framing::Length, Framing::Chunked] {
        // Its end looks like the end of a line.
        let reply = Reply::ok(KEYS).framed(framing).closing_after(9);
        answered(reply)
            .await
            .is(UNDECIDED, "undecided")
            .sparing(0)
            .finding(1, "incomplete")
            .saying("`cryptoserver-1` gave an incomplete answer");
    }
}

#[tokio::test]
async fn the_end_of_a_connection_is_no_proof_of_the_end_of_a_body() {
    answered(Reply::ok(KEYS).framed(Framing::Close))
        .await
        .is(UNDECIDED, "undecided")
        .finding(1, "incomplete");
}

#[tokio::test]
async fn a_link_that_breaks_is_not_the_replicas_fault() {
    // With the link goes what was still under way on it.
    answered(Reply::ok(KEYS).cut_after(5))
        .await
        .is(UNDECIDED, "undecided")
        .sparing(0);
}

#[tokio::test]
async fn a_length_that_promises_more_than_the_others_have_is_another_answer() {
    let text = format!("HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n{KEYS}");
    answered(Reply::verbatim(text).framed(Framing::Close))
        .await
        .is(UNHEALTHY, "unhealthy")
        .finding(1, "incomplete")
        .of_kind("differ")
        .saying("it announced 99 bytes, but replica 0 serves 16 bytes");
}

#[tokio::test]
async fn what_came_of_an_answer_may_prove_it_another_one() {
    for (reply, words) in [
        (
            Reply::ok(OTHER).closing_after(15),
            "its byte at offset 14 differs from the one that replica 0 serves",
        ),
        (
            Reply::ok(format!("{KEYS}7\n")).framed(Framing::Close),
            "at least 18 bytes arrived, but replica 0 serves 16 bytes",
        ),
    ] {
        answered(reply)
            .await
            .is(UNHEALTHY, "unhealthy")
            .sparing(0)
            .of_kind("differ")
            .saying(words);
    }
}

#[tokio::test]
async fn two_answers_that_broke_off_may_prove_that_they_differ() {
    let both = |first: Reply, second: Reply| async move {
        let scene = Scene::new().await.answer(replica(0), first);
        verify(&scene.answer(replica(1), second)).await
    };
    both(
        Reply::ok(KEYS).closing_after(5),
        Reply::ok(KEYS).closing_after(9),
    )
    .await
    .is(UNDECIDED, "undecided");
    both(
        Reply::ok(KEYS).closing_after(9),
        Reply::ok(format!("9{KEYS}")).closing_after(9),
    )
    .await
    .is(UNHEALTHY, "unhealthy")
    .saying("its byte at offset 0 differs from the one that replica 0 sent");
}

#[tokio::test]
async fn what_began_is_not_asked_for_again_and_what_never_began_is() {
    let in_turn = |first: Reply| async move {
        let scene = Scene::new().await;
        let replies = vec![first, Reply::ok(KEYS)];
        scene.server.serve_in_turn(replica(1), "/keys", replies);
        verify(&scene).await
    };
    for reply in [
        Reply::ok(KEYS).closing_after(5),
        Reply::verbatim("HTTP/1.1 2").framed(Framing::Close),
    ] {
        in_turn(reply)
            .await
            .is(UNDECIDED, "undecided")
            .finding(1, "incomplete")
            .with("/replicas/1/repeats", &json!(0));
    }
    in_turn(Reply::verbatim("").framed(Framing::Close))
        .await
        .is(SUCCESS, "success")
        .with("/replicas/1/repeats", &json!(1));
}

#[tokio::test]
async fn another_status_is_wrong_whatever_follows_it() {
    for reply in [
        Reply::new(500, "no").closing_after(1),
        Reply::new(500, "no").framed(Framing::Close),
        Reply::new(500, "x".repeat(1 << 20)).repeated(20),
        Reply::verbatim("HTTP/1.1 500 Inter").framed(Framing::Close),
        Reply::verbatim("HTTP/1.1 500 No\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n"),
    ] {
        answered(reply)
            .await
            .is(UNHEALTHY, "unhealthy")
            .finding(1, "wrong_status");
    }
}

#[tokio::test]
async fn many_headers_are_taken_and_endless_ones_are_not() {
    let lines = |count: usize| "X-Line: 1\r\n".repeat(count);
    let whole = |count: usize| {
        let length = KEYS.len();
        format!(
            "HTTP/1.1 200 OK\r\n{}Content-Length: {length}\r\n\r\n{KEYS}",
            lines(count)
        )
    };
    answered(Reply::verbatim(whole(120)))
        .await
        .is(SUCCESS, "success");
    answered(Reply::verbatim(whole(60_000)))
        .await
        .is(UNDECIDED, "undecided")
        .saying("larger than this program reads");
}

#[tokio::test]
async fn a_port_that_speaks_tls_is_named() {
    let alert = &b"\x15\x03\x01\x00\x02\x02\x46"[..];
    answered(Reply::verbatim(alert).framed(Framing::Close))
        .await
        .is(UNDECIDED, "undecided")
        .finding(1, "not_proven")
        .saying("what came back is not HTTP: the port speaks TLS, and is asked in plain HTTP");
    let page = "Client sent an HTTP request to an HTTPS server.\n";
    for framing in [Framing::Length, Framing::Close] {
        answered(Reply::new(400, page).framed(framing))
            .await
            .is(UNHEALTHY, "unhealthy")
            .finding(1, "wrong_status")
            .saying("its text mentions TLS, but the request was plain HTTP");
    }
    answered(Reply::new(400, "no such key\n"))
        .await
        .is(UNHEALTHY, "unhealthy")
        .not_saying("TLS");
}

#[tokio::test]
async fn a_content_encoding_is_named_where_bodies_differ() {
    let packed = |time: u8| {
        let mut body = vec![0x1f, 0x8b, 8, 0, time, 0, 0, 0, 0, 3];
        body.extend([0x33, 0xe4, 0x32, 0xe2, 0x32, 0xe6, 0x02, 0x00]);
        body.extend([0x14, 0x0b, 0x5b, 0x7a, 6, 0, 0, 0]);
        Reply::ok(body).header("Content-Encoding", "gzip")
    };
    let scene = Scene::new().await.answer(replica(0), packed(1));
    let folder = "endpoints: [{path: /keys}]";
    verify_by(&scene.answer(replica(1), packed(2)), folder)
        .await
        .is(UNHEALTHY, "unhealthy")
        .saying("bodies with `Content-Encoding: gzip` are compared without decoding: the text is the same");
    let labelled = Reply::ok(KEYS).header("Content-Encoding", "gzip");
    answered(labelled)
        .await
        .is(UNHEALTHY, "unhealthy")
        .of_kind("content_types")
        .saying("replica 0 without a content encoding, replica 1 as `gzip`");
}

#[tokio::test]
async fn a_length_that_promises_less_than_comes_is_only_that_much() {
    let text = format!("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n{KEYS}");
    answered(Reply::verbatim(text))
        .await
        .is(UNHEALTHY, "unhealthy")
        .finding(1, "not_matching");
}

#[tokio::test]
async fn two_lengths_that_contradict_each_other_are_no_answer() {
    let head = "HTTP/1.1 200 OK\r\nContent-Length: 16\r\nContent-Length: 9\r\n\r\n";
    let told = answered(Reply::verbatim(format!("{head}{KEYS}"))).await;
    let _ = told
        .is(UNDECIDED, "undecided")
        .sparing(0)
        .finding(1, "incomplete");
}

#[tokio::test]
async fn what_is_said_before_the_answer_is_not_the_answer() {
    for before in [
        "HTTP/1.1 100 Continue\r\n\r\n",
        "HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n",
        "HTTP/1.1 102 Processing\r\n\r\nHTTP/1.1 100 Continue\r\n\r\n",
    ] {
        answered(Reply::verbatim(format!("{before}{}", whole(KEYS))))
            .await
            .is(SUCCESS, "success");
    }
}

#[tokio::test]
async fn a_second_answer_in_the_same_breath_is_not_taken_for_the_first() {
    let both = format!("{}{}", whole("9\n9\n9\n9\n9\n"), whole(KEYS));
    answered(Reply::verbatim(both))
        .await
        .is(UNHEALTHY, "unhealthy")
        .saying("2 replicas gave 2 different answers");
}

#[tokio::test]
async fn no_content_is_no_keys() {
    answered(Reply::verbatim("HTTP/1.1 204 No Content\r\n\r\n"))
        .await
        .is(UNHEALTHY, "unhealthy")
        .finding(1, "wrong_status");
}

#[tokio::test]
async fn what_is_no_http_is_no_answer() {
    for noise in [
        "SSH-2.0-OpenSSH_9.9\r\n",
        "\0\0\0\0\r\n\r\n",
        "ICY 200 OK\r\n\r\n",
    ] {
        let told = answered(Reply::verbatim(noise).framed(Framing::Close)).await;
        let _ = told
            .is(UNDECIDED, "undecided")
            .sparing(0)
            .finding(1, "not_proven");
    }
}

#[tokio::test]
async fn chunks_that_do_not_end_are_incomplete() {
    let head = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";
    let text = format!("{head}10\r\n{KEYS}\r\n");
    answered(Reply::verbatim(text).framed(Framing::Close))
        .await
        .is(UNDECIDED, "undecided")
        .finding(1, "incomplete");
}
