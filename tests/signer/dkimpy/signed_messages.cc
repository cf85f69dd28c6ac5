// Writes signed messages and their key records into a folder, for verify_with_dkimpy.py:
//
//   signed_messages DIR COUNT NOW
//
// DIR/0000.eml …: messages with an RSA and an Ed25519 signature; DIR/records.txt: lines "<name> <TAB> <key record>".
// NOW is the signing time in seconds since 1970. The messages are the same in each run.

#include <fmt/format.h>

#include <charconv>
#include <cstdio>
#include <fstream>
#include <random>
#include <string>
#include <vector>

#include "keys/key_name.h"
#include "keys/key_store.h"
#include "signer/body_hasher.h"
#include "signer/dkim_signer.h"
#include "signer/message_reader.h"

namespace waxwing {
namespace {

/// Messages of every shape that canonicalisation cares about.
class MessageGenerator {
 public:
  std::string next() {
    std::string message = "From: " + fold("Sender <sender@sender.example>") + "\r\n";
    const std::size_t fields = pick(14);
    for (std::size_t i = 0; i < fields; ++i) message += field() + "\r\n";
    message += "\r\n";
    const std::size_t lines = pick(5) == 0 ? 0 : pick(25);
    for (std::size_t i = 0; i < lines; ++i) message += line() + "\r\n";
    for (std::size_t i = pick(4); i > 0; --i) message += blank(pick(2) * pick(3)) + "\r\n";
    return message;
  }

  std::size_t pick(std::size_t below) { return random_() % below; }

 private:
  std::string blank(std::size_t octets) {
    std::string text;
    for (std::size_t i = 0; i < octets; ++i) text += pick(3) == 0 ? '\t' : ' ';
    return text;
  }

  std::string word() {
    static const std::vector<std::string> kWords{"a",
                                                 "wax",
                                                 "wing",
                                                 "\xc3\xbc"
                                                 "ber",
                                                 "\xff\x80\xfe",
                                                 ".",
                                                 ";b=x",
                                                 "=?utf-8?Q?a?=",
                                                 "<a@b>",
                                                 "l=0",
                                                 "bh=",
                                                 ":",
                                                 "\"a  b\"",
                                                 "From:",
                                                 "d=x.example",
                                                 "--"};
    return kWords[pick(kWords.size())];
  }

  /// Doubles some spaces, adds tabs and folds.
  std::string fold(const std::string& value) {
    std::string folded;
    for (const char c : value) {
      if (c != ' ') {
        folded += c;
      } else {
        folded += pick(4) == 0 ? blank(pick(3)) + "\r\n " + blank(pick(3)) : blank(1 + pick(3));
      }
    }
    return folded + blank(pick(2) * pick(3));
  }

  std::string field() {
    static const std::vector<std::string> kNames{
        "To",       "Cc",      "Subject",     "Date",         "MESSAGE-ID", "reply-to", "MIME-Version", "Received",
        "X-Custom", "List-Id", "Resent-From", "Content-Type", "Sender",     "Subject",  "to",           "References"};
    std::string value;
    for (std::size_t i = pick(9); i > 0; --i) value += word() + (i > 1 ? " " : "");
    if (pick(20) == 0) value += std::string(2'000, 'v');
    return kNames[pick(kNames.size())] + ":" + blank(pick(3)) + fold(value);
  }

  std::string line() {
    switch (pick(8)) {
      case 0:
        return "";
      case 1:
        return blank(1 + pick(6));
      case 2:
        return std::string(pick(5'000), 'L');
      default: {
        std::string text = blank(pick(2) * pick(4));
        for (std::size_t i = pick(12); i > 0; --i) text += word() + blank(pick(4));
        return text;
      }
    }
  }

  std::mt19937 random_{6'376};  // NOLINT: a fixed seed
};

Canonicalization form_of(std::size_t bit) {
  return bit % 2 == 0 ? Canonicalization::Relaxed : Canonicalization::Simple;
}

Result<std::string> sign(const std::string& message, std::size_t number, MessageGenerator& random,
                         const std::vector<StoredKey>& keys, WallTime now) {
  DkimSigningOptions options;
  options.now = now;
  options.header_canonicalization = form_of(number);
  options.body_canonicalization = form_of(number / 2);
  MessageReader reader;
  BodyHasher hasher(options.body_canonicalization);
  for (std::size_t at = 0; at < message.size();) {
    const std::size_t octets = 1 + random.pick(200);
    const auto body = reader.read(std::string_view(message).substr(at, octets));
    if (!body) return tl::unexpected(body.error());
    hasher.update(*body);
    at += octets;
  }
  if (auto finished = reader.finish(); !finished) return tl::unexpected(finished.error());
  return sign_message(reader.fields(), hasher.finish(), keys, options);
}

Result<void> run(const std::string& folder, std::size_t count, WallTime now) {
  const DomainName domain = DomainName::parse("sender.example").value();
  std::vector<StoredKey> keys;
  std::ofstream records(folder + "/records.txt", std::ios::binary);
  for (const auto type : {DkimKeyType::Rsa, DkimKeyType::Ed25519}) {
    auto key = SigningKey::generate(type);
    if (!key) return tl::unexpected(key.error());
    const std::string selector(dkim_key_type_name(type));
    records << key_record_name(selector, domain).value() << '\t' << format_dkim_key_record(type, key->public_key())
            << '\n';
    keys.push_back({domain, selector, std::make_shared<const SigningKey>(std::move(*key)), now});
  }
  MessageGenerator generator;
  for (std::size_t number = 0; number < count; ++number) {
    const std::string message = generator.next();
    const auto signatures = sign(message, number, generator, keys, now);
    if (!signatures) return tl::unexpected(signatures.error());
    std::ofstream(fmt::format("{}/{:04}.eml", folder, number), std::ios::binary) << *signatures << message;
  }
  return {};
}

}  // namespace
}  // namespace waxwing

int main(int argc, char** argv) {
  const std::vector<std::string_view> arguments(argv, argv + argc);
  std::size_t count = 0;
  std::int64_t now = 0;
  const auto read = [](std::string_view text, auto& number) {
    return std::from_chars(text.data(), text.data() + text.size(), number).ec == std::errc();
  };
  if (arguments.size() != 4 || !read(arguments[2], count) || !read(arguments[3], now)) {
    std::fputs("usage: signed_messages DIR COUNT NOW\n", stderr);
    return 64;
  }
  const auto done = waxwing::run(std::string(arguments[1]), count, waxwing::WallTime(waxwing::Seconds(now)));
  if (!done) std::fputs((done.error().detail + "\n").c_str(), stderr);
  return done ? 0 : 1;
}
