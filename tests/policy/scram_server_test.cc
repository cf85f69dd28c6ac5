#include "policy/scram_server.h"

#include <catch2/catch.hpp>
#include <string>
#include <utility>

#include "policy/base64.h"
#include "policy/scram_client.h"

using namespace waxwing;

namespace {

using Mechanism = ScramServer::Mechanism;
using ChannelBinding = ScramServer::ChannelBinding;

// RFC 7677 §3.
const std::string kClientNonce = "rOprNGfwEbeRWgbNEkqO";
const std::string kServerNonce = "%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0";
const std::string kFinalWithoutProof = "c=biws,r=" + kClientNonce + kServerNonce;

ScramKeys keys_of(std::string_view password) {
  return derive_scram_keys(password, *decode_base64("W22ZaJ0SNY7soEsUEjb6gQ=="), 4'096);
}

ScramServer server(Mechanism chosen = Mechanism::Sha256, ChannelBinding offered = ChannelBinding::NotOffered) {
  return {chosen, offered};
}

/// The proof of "pencil" for what the client says, made with the arithmetic alone.
std::string proof(const std::string& first_bare, const std::string& challenge, const std::string& without_proof) {
  ScramClientKeys keys = derive_scram_client_keys("pencil", *decode_base64("W22ZaJ0SNY7soEsUEjb6gQ=="), 4'096);
  const Secret stored_key = scram_stored_key(keys.client_key.reveal());
  Secret proof = std::move(keys.client_key);
  scram_xor(proof, scram_signature(stored_key.reveal(), first_bare + "," + challenge + "," + without_proof).reveal());
  return encode_base64(proof.reveal());
}

ErrorKind first_error(Mechanism chosen, ChannelBinding offered, const std::string& text) {
  ScramServer scram(chosen, offered);
  const auto read = scram.read_first(text);
  REQUIRE_FALSE(read);
  return read.error().kind;
}

}  // namespace

TEST_CASE("the server of RFC 7677 says what is printed there", "[scram]") {
  ScramServer scram = server();
  REQUIRE(scram.read_first("n,,n=user,r=" + kClientNonce));
  CHECK(scram.user() == "user");
  CHECK(scram.channel_binding_type().empty());
  CHECK(scram.challenge(keys_of("pencil"), kServerNonce, "") ==
        "r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096");
  REQUIRE(scram.read_final(kFinalWithoutProof + ",p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ="));
  REQUIRE(scram.is_proven());
  CHECK(scram.final_message() == "v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=");
}

TEST_CASE("client and server believe each other with one password, and neither with two", "[scram]") {
  for (const char* stored : {"pencil", "pencil ", "Pencil"}) {
    CAPTURE(stored);
    ScramClient client("us,er=", "pencil", "abc");
    ScramServer scram = server();
    REQUIRE(scram.read_first(client.first_message()));
    CHECK(scram.user() == "us,er=");
    const auto last = client.final_message(scram.challenge(keys_of(stored), "def", ""));
    REQUIRE(last);
    REQUIRE(scram.read_final(*last));
    CHECK(scram.is_proven() == (std::string_view(stored) == "pencil"));
    if (scram.is_proven()) CHECK(client.verify(scram.final_message()));
  }
}

TEST_CASE("what a client says first is believed only in the form of RFC 5802", "[scram]") {
  const std::pair<std::string, ErrorKind> rows[] = {
      {"", ErrorKind::Malformed},
      {"n", ErrorKind::Malformed},
      {"n,", ErrorKind::Malformed},
      {"n,,", ErrorKind::Malformed},
      {"n,n=user,r=abc", ErrorKind::Malformed},
      {"N,,n=user,r=abc", ErrorKind::Malformed},
      {"x,,n=user,r=abc", ErrorKind::Malformed},
      {"n,b=user,n=user,r=abc", ErrorKind::Malformed},
      {"n,a=,n=user,r=abc", ErrorKind::Malformed},
      {"n,a=root,n=user,r=abc", ErrorKind::Denied},
      {"n,a=User,n=user,r=abc", ErrorKind::Denied},
      {"n,,r=abc,n=user", ErrorKind::Malformed},
      {"n,,n=user", ErrorKind::Malformed},
      {"n,,n=user,r=", ErrorKind::Malformed},
      {"n,,n=user,r=a b", ErrorKind::Malformed},
      {"n,,n=user,r=abc,", ErrorKind::Malformed},
      {"n,,n=user,r=abc,x", ErrorKind::Malformed},
      {"n,,n=user,,r=abc", ErrorKind::Malformed},
      {"n,,m=more,n=user,r=abc", ErrorKind::Malformed},
      {"n,,n=,r=abc", ErrorKind::Malformed},
      {"n,,n=us=er,r=abc", ErrorKind::Malformed},
      {"n,,n=us=2cer,r=abc", ErrorKind::Malformed},
      {"n,,n=us=3,r=abc", ErrorKind::Malformed},
      {"n,,n=us\xff,r=abc", ErrorKind::Malformed},
      {std::string("n,,n=us\0er,r=abc", 16), ErrorKind::Malformed},
      {"n,,n=" + std::string(kMaxScramUserOctets + 1, 'u') + ",r=abc", ErrorKind::Malformed},
      {"n,,n=user,r=" + std::string(513, 'r'), ErrorKind::Malformed},
      {"p=,,n=user,r=abc", ErrorKind::Malformed},
      {"p=tls unique,,n=user,r=abc", ErrorKind::Malformed},
      {"p=" + std::string(65, 't') + ",,n=user,r=abc", ErrorKind::Malformed},
  };
  for (const auto& [text, kind] : rows) {
    CAPTURE(text);
    CHECK(first_error(Mechanism::Sha256, ChannelBinding::NotOffered, text) == kind);
  }
}

TEST_CASE("what is optional in a first message is taken", "[scram]") {
  for (const char* text :
       {"n,a=user,n=user,r=abc", "y,,n=user,r=abc", "n,,n=user,r=abc,x=later,Y=", "n,a==2C=3D,n==2C=3D,r=abc"}) {
    CAPTURE(text);
    CHECK(server().read_first(text));
  }
}

TEST_CASE("what a client says of channel binding must go with what it chose and was offered", "[scram]") {
  const std::string rest = ",,n=user,r=abc";
  CHECK(server(Mechanism::Sha256, ChannelBinding::Offered).read_first("n" + rest));
  CHECK(server(Mechanism::Sha256Plus, ChannelBinding::Offered).read_first("p=tls-exporter" + rest));
  // The client could have chosen it, and believes that it was not offered.
  CHECK(first_error(Mechanism::Sha256, ChannelBinding::Offered, "y" + rest) == ErrorKind::Denied);
  CHECK(first_error(Mechanism::Sha256, ChannelBinding::Offered, "p=tls-exporter" + rest) == ErrorKind::Denied);
  CHECK(first_error(Mechanism::Sha256Plus, ChannelBinding::Offered, "y" + rest) == ErrorKind::Denied);
  CHECK(first_error(Mechanism::Sha256Plus, ChannelBinding::Offered, "n" + rest) == ErrorKind::Denied);
}

TEST_CASE("a login that is bound to one channel is worth nothing on another", "[scram]") {
  const std::string bare = "n=user,r=abc";
  const std::string header = "p=tls-exporter,,";
  for (const char* channel : {"this channel", "another channel", ""}) {
    CAPTURE(channel);
    ScramServer scram = server(Mechanism::Sha256Plus, ChannelBinding::Offered);
    REQUIRE(scram.read_first(header + bare));
    CHECK(scram.channel_binding_type() == "tls-exporter");
    const std::string challenge = scram.challenge(keys_of("pencil"), "def", "this channel");
    const std::string without_proof = "c=" + encode_base64(header + channel) + ",r=abcdef";
    const auto read = scram.read_final(without_proof + ",p=" + proof(bare, challenge, without_proof));
    CHECK(scram.is_proven() == (std::string_view(channel) == "this channel"));
    if (!read) CHECK(read.error().kind == ErrorKind::Denied);
  }
}

TEST_CASE("what a client says last is believed only in the form of RFC 5802", "[scram]") {
  const std::string bare = "n=user,r=abc";
  struct Row {
    std::string without_proof;
    std::string proof;  // empty: the right one
    ErrorKind kind;
  };
  const std::string good = "c=biws,r=abcdef";
  const std::string some = encode_base64(std::string(32, 'p'));
  const Row rows[] = {
      {"r=abcdef,c=biws", "", ErrorKind::Malformed},
      {"c=biws", "", ErrorKind::Malformed},
      {"r=abcdef", "", ErrorKind::Malformed},
      {"x=1," + good, "", ErrorKind::Malformed},
      {good + ",", "", ErrorKind::Malformed},
      {"c=biws,r=abcdeg", "", ErrorKind::Denied},
      {"c=biws,r=abc", "", ErrorKind::Denied},
      {"c=biws,r=", "", ErrorKind::Denied},
      {"c=eSws,r=abcdef", "", ErrorKind::Denied},  // "y,,"
      {"c=,r=abcdef", "", ErrorKind::Denied},
      {good, encode_base64(std::string(31, 'p')), ErrorKind::Malformed},
      {good, encode_base64(std::string(33, 'p')), ErrorKind::Malformed},
      {good, "!", ErrorKind::Malformed},
      {good, some + "," + some, ErrorKind::Malformed},
      {good, some + ",x=behind", ErrorKind::Malformed},
  };
  for (const Row& row : rows) {
    CAPTURE(row.without_proof, row.proof);
    ScramServer scram = server();
    REQUIRE(scram.read_first("n,," + bare));
    const std::string challenge = scram.challenge(keys_of("pencil"), "def", "");
    const std::string said = row.proof.empty() ? proof(bare, challenge, row.without_proof) : row.proof;
    const auto read = scram.read_final(row.without_proof + ",p=" + said);
    REQUIRE_FALSE(read);
    CHECK(read.error().kind == row.kind);
    CHECK_FALSE(scram.is_proven());
  }
}

TEST_CASE("an extension that nobody must know is covered by the proof", "[scram]") {
  const std::string bare = "n=user,r=abc,x=first";
  for (const char* extension : {"x=last", "x=changed"}) {
    ScramServer scram = server();
    REQUIRE(scram.read_first("n,," + bare));
    const std::string challenge = scram.challenge(keys_of("pencil"), "def", "");
    const std::string said = proof(bare, challenge, "c=biws,r=abcdef,x=last");
    REQUIRE(scram.read_final(std::string("c=biws,r=abcdef,") + extension + ",p=" + said));
    CHECK(scram.is_proven() == (std::string_view(extension) == "x=last"));
  }
}

TEST_CASE("a proof that one bit of is wrong proves nothing", "[scram]") {
  const std::string right = *decode_base64("dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=");
  for (std::size_t bit = 0; bit < 256; ++bit) {
    std::string wrong = right;
    wrong[bit / 8] = static_cast<char>(wrong[bit / 8] ^ (1 << bit % 8));
    ScramServer scram = server();
    REQUIRE(scram.read_first("n,,n=user,r=" + kClientNonce));
    static_cast<void>(scram.challenge(keys_of("pencil"), kServerNonce, ""));
    REQUIRE(scram.read_final(kFinalWithoutProof + ",p=" + encode_base64(wrong)));
    CHECK_FALSE(scram.is_proven());
  }
}
