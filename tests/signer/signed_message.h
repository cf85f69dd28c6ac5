#pragma once

#include <catch2/catch.hpp>
#include <map>
#include <string>
#include <string_view>

#include "policy/lookup.h"
#include "signer/message_verifier.h"

namespace waxwing::test {

/// The two signatures of RFC 8463 §A.3, made at 1528637909.
inline constexpr std::string_view kRfc8463Ed25519Signature =
    "DKIM-Signature: v=1; a=ed25519-sha256; c=relaxed/relaxed;\r\n"
    " d=football.example.com; i=@football.example.com;\r\n"
    " q=dns/txt; s=brisbane; t=1528637909; h=from : to :\r\n"
    " subject : date : message-id : from : subject : date;\r\n"
    " bh=2jUSOH9NhtVGCQWNr9BrIAPreKQjO6Sn7XIkfJVOzv8=;\r\n"
    " b=/gCrinpcQOoIfuHNQIbq4pgh9kyIK3AQUdt9OdqQehSwhEIug4D11Bus\r\n"
    " Fa3bT3FY5OsU7ZbnKELq+eXdp1Q1Dw==\r\n";
inline constexpr std::string_view kRfc8463RsaSignature =
    "DKIM-Signature: v=1; a=rsa-sha256; c=relaxed/relaxed;\r\n"
    " d=football.example.com; i=@football.example.com;\r\n"
    " q=dns/txt; s=test; t=1528637909; h=from : to : subject :\r\n"
    " date : message-id : from : subject : date;\r\n"
    " bh=2jUSOH9NhtVGCQWNr9BrIAPreKQjO6Sn7XIkfJVOzv8=;\r\n"
    " b=F45dVWDfMbQDGHJFlXUNB2HKfbCeLRyhDXgFpEL8GwpsRe0IeIixNTe3\r\n"
    " DhCVlUrSjV4BwcVcOF6+FF3Zo9Rpo1tFOeS9mPYQTnGdaSGsgeefOsk2Jz\r\n"
    " dA+L10TeYt9BgDfQNZtKdN1WO//KgIqXP7OdEFE4LjFYNcUxZQ4FADY+8=\r\n";
inline constexpr std::string_view kRfc8463Header =
    "From: Joe SixPack <joe@football.example.com>\r\n"
    "To: Suzie Q <suzie@shopping.example.net>\r\n"
    "Subject: Is dinner ready?\r\n"
    "Date: Fri, 11 Jul 2003 21:00:37 -0700 (PDT)\r\n"
    "Message-ID: <20030712040037.46341.5F8J@football.example.com>\r\n";
inline constexpr std::string_view kRfc8463Body = "Hi.\r\n\r\nWe lost the game.  Are you hungry yet?\r\n\r\nJoe.\r\n";

inline constexpr std::string_view kRfc8463Ed25519Record =
    "v=DKIM1; k=ed25519; p=11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=";
inline constexpr std::string_view kRfc8463RsaRecord =
    "v=DKIM1; k=rsa; p=MIGfMA0GCSqGSIb3DQEBAQUAA4GNADCBiQKBgQDkHlOQoBTzWR"
    "iGs5V6NpP3idY6Wk08a5qhdR6wy5bdOKb2jLQiY/J16JYi0Qvx/byYzCNb3W91y3FutAC"
    "DfzwQ/BC/e/8uBsCR+yz1Lxj+PL6lHvqMKrM3rG4hstT5QjvHO9PzoxZyVYLzBfO2EeC3"
    "Ip3G+2kryOTIKT+l/K4w3QIDAQAB";
inline constexpr WallTime kRfc8463Time{Seconds(1'528'637'909)};

/// TXT records by name; a name with no text at all fails.
using KeyRecords = std::multimap<std::string, std::string>;

inline KeyRecords rfc8463_records() {
  return {{"brisbane._domainkey.football.example.com", std::string(kRfc8463Ed25519Record)},
          {"test._domainkey.football.example.com", std::string(kRfc8463RsaRecord)}};
}

inline Answer answer_of(const KeyRecords& records, const Question& question) {
  Answer answer;
  answer.status = Answer::Status::Insecure;
  const auto [begin, end] = records.equal_range(question.name);
  for (auto record = begin; record != end; ++record) answer.records.push_back(TxtRecord{record->second});
  answer.name_exists = begin != end;
  if (answer.name_exists && std::get<TxtRecord>(answer.records.front()).text.empty()) answer = {};
  return answer;
}

/// Calls a rule until it returns a value, answering its questions from `records`.
template <class Rule>
auto resolve(const KeyRecords& records, Rule rule) {
  Answers answers;
  for (int round = 0;; ++round) {
    auto value = rule(answers);
    if (value) return *value;
    REQUIRE(round < 3);
    REQUIRE_FALSE(answers.missing().empty());
    const auto missing = answers.missing();
    for (const Question& question : missing) answers.add(question, answer_of(records, question));
  }
}

/// Verifies a whole message that comes in chunks of `chunk_octets`.
inline SignatureVerdicts verify_message(std::string_view message, const KeyRecords& records,
                                        WallTime now = kRfc8463Time, std::size_t chunk_octets = 7) {
  MessageVerifier verifier;
  for (std::size_t at = 0; at < message.size(); at += chunk_octets)
    REQUIRE(verifier.feed(message.substr(at, chunk_octets)));
  REQUIRE(verifier.finish());
  return resolve(records, [&](Answers& answers) { return verifier.verify(answers, now); });
}

}  // namespace waxwing::test
