// Times what mail authentication costs, as ratios within one run, and whether time stays linear in what attackers
// choose:
//
//   authentication_cost [--json]
//
// Exits 1 when a goal is missed.

#include <openssl/sha.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <functional>
#include <iostream>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "keys/signing_key.h"
#include "signer/body_hasher.h"
#include "signer/dkim_signer.h"
#include "signer/dkim_verifier.h"
#include "signer/message_reader.h"
#include "tests/bench/body_samples.h"
#include "tests/bench/cpu_time.h"

using namespace waxwing;

namespace {

constexpr std::size_t kMiB = 1'048'576;
constexpr std::size_t kChunkOctets = 65'536;
constexpr double kLeastShareOfSha256 = 0.60;  ///< of plain SHA-256, for canonicalising and hashing 1 MiB
constexpr double kLargestGrowth = 2.2;        ///< time(2n) / time(n)
constexpr double kSigningShare = 1.1;         ///< of one RSA-2048 operation, and
constexpr double kSigningExtraMs = 0.030;     ///< so much more, for a message of 4 KiB

/// One figure, and the goal that it must reach.
struct Figure {
  std::string name;
  double value;
  std::string unit;
  double goal;
  bool met;
};

std::string digest_of(std::string_view body, Canonicalization form) {
  BodyHasher hasher(form);
  hasher.update(body);
  return hasher.finish();
}

double plain_sha256_ms(const std::string& octets) {
  std::array<std::uint8_t, SHA256_DIGEST_LENGTH> digest;
  return bench::least_ms(
      [&] { SHA256(reinterpret_cast<const std::uint8_t*>(octets.data()), octets.size(), digest.data()); }, 30);
}

/// How fast bodies are hashed in relaxed form, which costs more than simple form.
void measure_bodies(double plain_ms, std::vector<Figure>& figures) {
  const std::vector<std::pair<std::string, std::string>> bodies{
      {"base64", bench::base64_body(kMiB)},
      {"prose", bench::prose_body(kMiB)},
      {"indented HTML", bench::indented_html_body(kMiB)},
      {"a tab after every letter", bench::tab_after_every_letter(kMiB)},
      {"two spaces after every letter", bench::two_spaces_after_every_letter(kMiB)},
      {"blank lines", bench::blank_lines(kMiB)}};
  for (const auto& [name, body] : bodies) {
    const double ms = bench::least_ms([&] { digest_of(body, Canonicalization::Relaxed); }, 30);
    const double share = plain_ms / ms;
    figures.push_back({"hash " + name, share, "of plain SHA-256", kLeastShareOfSha256, share >= kLeastShareOfSha256});
  }
}

std::string small_message() {
  return "Received: from client.example (client.example [192.0.2.1])\r\n\tby relay.example with ESMTPSA id 1\r\n"
         "From: Ann <ann@sender.example>\r\nTo: Bob <bob@receiver.example>\r\nSubject: What the relay costs\r\n"
         "Date: Thu, 26 Nov 2026 01:00:00 +0000\r\nMessage-ID: <1@sender.example>\r\nMIME-Version: 1.0\r\n"
         "Content-Type: text/plain; charset=utf-8\r\n\r\n" +
         bench::prose_body(3'584) + "\r\n";
}

std::string sign(std::string_view message, const std::vector<StoredKey>& keys) {
  DkimSigningOptions options;
  options.now = WallTime(Seconds(1'800'000'000));
  MessageReader reader;
  BodyHasher hasher(options.body_canonicalization);
  hasher.update(reader.read(message).value());
  if (!reader.finish()) std::abort();
  return sign_message(reader.fields(), hasher.finish(), keys, options).value();
}

void measure_signing(std::vector<Figure>& figures) {
  const auto key = std::make_shared<const SigningKey>(SigningKey::generate(DkimKeyType::Rsa).value());
  const std::vector<StoredKey> keys{{DomainName::parse("sender.example").value(), "rsa", key, {}}};
  const std::string message = small_message();
  const double rsa_ms = bench::least_ms([&] { key->sign(message).value(); }, 40, 10);
  const double ms = bench::least_ms([&] { sign(message, keys); }, 40, 10);
  const double goal = kSigningShare * rsa_ms + kSigningExtraMs;
  figures.push_back({"RSA-2048 operation", rsa_ms, "ms", rsa_ms, true});
  figures.push_back({"sign 4 KiB", ms, "ms", goal, ms <= goal});
}

/// How time grows when the input doubles, twice; the worse of both.
Figure growth(const std::string& name, std::size_t size,
              const std::function<std::function<void()>(std::size_t)>& make) {
  std::vector<double> times;
  for (const std::size_t factor : {1, 2, 4}) times.push_back(bench::least_ms(make(size * factor), 12));
  const double ratio = std::max(times[1] / times[0], times[2] / times[1]);
  return {name + ", doubled", ratio, "times", kLargestGrowth, ratio <= kLargestGrowth};
}

/// A header field of nothing but folds.
std::string fold_bomb(std::size_t octets) {
  return "Subject: x" + bench::repeated("\r\n \t", octets) + "y\r\nFrom: a@sender.example\r\n\r\n";
}

constexpr std::string_view kJunkSignature =
    "DKIM-Signature: v=1; a=ed25519-sha256; d=junk.example; s=s; c=relaxed/relaxed; h=from:to:subject;\r\n"
    " bh=47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=; b=AAAA\r\n";  // the hash is that of an empty body

/// A header of that many signatures, all of which look as if they could verify.
class ManySignatures {
 public:
  explicit ManySignatures(std::size_t count)
      : raw_(bench::repeated(std::string(kJunkSignature), count * kJunkSignature.size())) {
    for (std::size_t at = 0; at < raw_.size(); at += kJunkSignature.size()) {
      const auto field = parse_header_block(std::string_view(raw_).substr(at, kJunkSignature.size()));
      fields_.push_back(field.value().front());
    }
  }

  /// Judges all of them, with keys that do not exist.
  void verify() const {
    BodyDigests digests;
    const DkimVerifier verifier(fields_, digests);
    digests.update("");
    digests.finish();
    Answers answers;
    while (!verifier.verify(answers, {})) {
      const auto missing = answers.missing();
      for (const Question& question : missing) answers.add(question, nowhere());
    }
  }

 private:
  static Answer nowhere() {
    Answer answer;
    answer.status = Answer::Status::Insecure;
    return answer;
  }

  std::string raw_;
  std::vector<HeaderField> fields_;
};

void measure_growth(std::vector<Figure>& figures) {
  // In chunks of the same memory, as messages pass: a large body would measure the caches of the machine.
  const auto hashing = [](std::string (*body)(std::size_t)) {
    return [body](std::size_t size) {
      return [chunk = body(kChunkOctets), size] {
        BodyHasher hasher(Canonicalization::Relaxed);
        for (std::size_t octets = 0; octets < size; octets += chunk.size()) hasher.update(chunk);
        static_cast<void>(hasher.finish());
      };
    };
  };
  figures.push_back(growth("hash tabs from 4 MiB", 4 * kMiB, hashing(bench::tab_after_every_letter)));
  figures.push_back(growth("hash spaces from 4 MiB", 4 * kMiB, hashing(bench::two_spaces_after_every_letter)));
  figures.push_back(growth("hash blank lines from 4 MiB", 4 * kMiB, hashing(bench::blank_lines)));
  figures.push_back(growth("sign a fold bomb from 60 KiB", 61'440,
                           [](std::size_t size) { return [message = fold_bomb(size)] { sign(message, {}); }; }));
  figures.push_back(growth("verify from 500 signatures", 500, [](std::size_t count) {
    return [message = std::make_shared<const ManySignatures>(count)] { message->verify(); };
  }));
}

void print(const std::vector<Figure>& figures, double plain_ms) {
  std::cout << "plain SHA-256: " << static_cast<int>(1e3 / plain_ms) << " MiB/s\n";
  for (const Figure& figure : figures) {
    std::cout << figure.name << ": " << figure.value << ' ' << figure.unit << " (goal " << figure.goal << ")"
              << (figure.met ? "" : " MISSED") << '\n';
  }
}

nlohmann::json as_json(const std::vector<Figure>& figures, double plain_ms) {
  nlohmann::json rows = nlohmann::json::array();
  for (const Figure& figure : figures) {
    rows.push_back({{"name", figure.name},
                    {"value", figure.value},
                    {"unit", figure.unit},
                    {"goal", figure.goal},
                    {"met", figure.met}});
  }
  return {{"plain_sha256_mib_per_second", 1e3 / plain_ms}, {"figures", rows}};
}

}  // namespace

int main(int argc, char** argv) {
  const bool json = argc > 1 && std::string_view(argv[1]) == "--json";
  std::vector<Figure> figures;
  const double plain_ms = plain_sha256_ms(bench::base64_body(kMiB));
  measure_bodies(plain_ms, figures);
  measure_signing(figures);
  measure_growth(figures);
  if (json) {
    std::cout << as_json(figures, plain_ms).dump(2) << '\n';
  } else {
    print(figures, plain_ms);
  }
  return std::all_of(figures.begin(), figures.end(), [](const Figure& figure) { return figure.met; }) ? 0 : 1;
}
