//! What goes wrong in the connection: an answer counts only when its end is proven.

use super::super::{KEYS, SUCCESS, Scene, UNDECIDED, UNHEALTHY, replica};
use super::{Told, verify};
use crate::apiserver::{Framing, Reply};

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
            .saying("`cryptoserver-1` did not answer to the end");
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
    answered(Reply::ok(KEYS).cut_after(5))
        .await
        .is(UNDECIDED, "undecided")
        .finding(1, "incomplete");
}

#[tokio::test]
async fn a_length_that_promises_more_than_comes_is_incomplete() {
    let text = format!("HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n{KEYS}");
    answered(Reply::verbatim(text).framed(Framing::Close))
        .await
        .is(UNDECIDED, "undecided")
        .finding(1, "incomplete");
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
            .finding(1, "incomplete");
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
