// Our side of the comparison with other implementations (peers_test.py). Messages come and go as message_bundle.h has
// them, on standard input and output:
//
//   own_peer generate COUNT SEED     writes messages
//   own_peer keys FOLDER             makes an RSA and an Ed25519 key: FOLDER/TYPE.pem, and FOLDER/records.txt with
//   lines
//                                    "<name> <TAB> <key record>"
//   own_peer sign FOLDER NOW         signs with both keys; the message's number decides about canonical forms
//   own_peer seal FOLDER NOW         validates the ARC chain and adds a set, RSA
//   own_peer verify FOLDER NOW       writes lines "<name> <dkim result>… arc=<result>"
//
// NOW is in seconds since 1970.

#include <charconv>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <iostream>
#include <iterator>
#include <string>
#include <vector>

#include "keys/key_name.h"
#include "keys/key_store.h"
#include "signer/arc_sealer.h"
#include "signer/body_hasher.h"
#include "signer/dkim_signer.h"
#include "signer/message_reader.h"
#include "signer/message_verifier.h"
#include "tests/signer/peers/message_bundle.h"
#include "tests/signer/peers/message_generator.h"

namespace waxwing {
namespace {

constexpr std::size_t kChunkOctets = 97;  ///< so that line ends are cut, too

DomainName signing_domain() {
  return DomainName::parse("sender.example").value();
}

/// Ends the program where something fails that cannot with messages of this test.
void must(const Result<void>& done) {
  if (done) return;
  std::fprintf(stderr, "%s\n", done.error().detail.c_str());
  std::exit(1);
}

std::string file_text(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

void make_keys(const std::string& folder) {
  std::ofstream records(folder + "/records.txt", std::ios::binary);
  for (const auto type : {DkimKeyType::Rsa, DkimKeyType::Ed25519}) {
    const SigningKey key = SigningKey::generate(type).value();
    const std::string name(dkim_key_type_name(type));
    records << key_record_name(name, signing_domain()).value() << '\t' << format_dkim_key_record(type, key.public_key())
            << '\n';
    std::ofstream(folder + "/" + name + ".pem", std::ios::binary) << key.to_pem().reveal();
  }
}

StoredKey load_key(const std::string& folder, DkimKeyType type) {
  const std::string name(dkim_key_type_name(type));
  auto key = SigningKey::from_pem(file_text(folder + "/" + name + ".pem")).value();
  return {signing_domain(), name, std::make_shared<const SigningKey>(std::move(key)), {}};
}

Answers load_records(const std::string& folder) {
  Answers answers;
  std::ifstream records(folder + "/records.txt");
  std::string name;
  std::string text;
  while (std::getline(records, name, '\t') && std::getline(records, text)) {
    Answer answer;
    answer.status = Answer::Status::Insecure;
    answer.name_exists = true;
    answer.canonical_name = name;
    answer.records.push_back(TxtRecord{text});
    answers.add({name, RecordType::TXT}, answer);
  }
  return answers;
}

Canonicalization form_of(unsigned bit) {
  return bit % 2 == 0 ? Canonicalization::Relaxed : Canonicalization::Simple;
}

template <class Take>
void in_chunks(std::string_view text, Take take) {
  for (std::size_t at = 0; at < text.size(); at += kChunkOctets) take(text.substr(at, kChunkOctets));
}

std::string sign(const NamedMessage& message, const std::vector<StoredKey>& keys, WallTime now) {
  DkimSigningOptions options;
  options.now = now;
  options.header_canonicalization = form_of(message.number());
  options.body_canonicalization = form_of(message.number() / 2);
  MessageReader reader;
  BodyHasher hasher(options.body_canonicalization);
  in_chunks(message.octets, [&](std::string_view chunk) { hasher.update(reader.read(chunk).value()); });
  must(reader.finish());
  return sign_message(reader.fields(), hasher.finish(), keys, options).value();
}

SignatureVerdicts verify(const NamedMessage& message, const Answers& records, WallTime now) {
  MessageVerifier verifier;
  in_chunks(message.octets, [&](std::string_view chunk) { must(verifier.feed(chunk)); });
  must(verifier.finish());
  Answers answers = records;
  while (true) {
    if (auto verdicts = verifier.verify(answers, now)) return *verdicts;
    const auto missing = answers.missing();
    for (const Question& question : missing) {
      Answer answer;
      answer.status = Answer::Status::Insecure;
      answers.add(question, answer);
    }
  }
}

std::string seal(const NamedMessage& message, const StoredKey& key, const Answers& records, WallTime now) {
  MessageReader reader;
  BodyHasher hasher(Canonicalization::Relaxed);
  in_chunks(message.octets, [&](std::string_view chunk) { hasher.update(reader.read(chunk).value()); });
  must(reader.finish());
  ArcSealingOptions options;
  options.now = now;
  return seal_message(reader.fields(), hasher.finish(), verify(message, records, now).arc,
                      merge_results(reader.fields(), key.domain.str()), key, options)
      .value();
}

void generate(std::size_t count, unsigned seed) {
  MessageGenerator generator(seed);
  for (std::size_t number = 0; number < count; ++number) {
    std::string name = std::to_string(number);
    name.insert(0, name.size() < 4 ? 4 - name.size() : 0, '0');
    write_bundle(std::cout, {name, generator.next()});
  }
}

void sign_all(const std::string& folder, WallTime now) {
  const std::vector<StoredKey> keys{load_key(folder, DkimKeyType::Rsa), load_key(folder, DkimKeyType::Ed25519)};
  for (const NamedMessage& message : read_bundle(std::cin)) {
    write_bundle(std::cout, {message.name, sign(message, keys, now) + message.octets});
  }
}

void seal_all(const std::string& folder, WallTime now) {
  const StoredKey key = load_key(folder, DkimKeyType::Rsa);
  const Answers records = load_records(folder);
  for (const NamedMessage& message : read_bundle(std::cin)) {
    write_bundle(std::cout, {message.name, seal(message, key, records, now) + message.octets});
  }
}

void verify_all(const std::string& folder, WallTime now) {
  const Answers records = load_records(folder);
  for (const NamedMessage& message : read_bundle(std::cin)) {
    const SignatureVerdicts verdicts = verify(message, records, now);
    std::cout << message.name;
    for (const DkimVerdict& verdict : verdicts.dkim) std::cout << ' ' << dkim_result_name(verdict.result);
    std::cout << " arc=" << arc_result_name(verdicts.arc.result) << '\n';
  }
}

bool run(const std::vector<std::string>& arguments) {
  const auto number = [&](std::size_t index) { return std::stoll(arguments.at(index)); };
  const std::string command = arguments.size() > 1 ? arguments[1] : "";
  if (command == "keys" && arguments.size() == 3) {
    make_keys(arguments[2]);
    return true;
  }
  if (arguments.size() != 4) return false;
  if (command == "generate") {
    generate(static_cast<std::size_t>(number(2)), static_cast<unsigned>(number(3)));
  } else if (command == "sign") {
    sign_all(arguments[2], WallTime(Seconds(number(3))));
  } else if (command == "seal") {
    seal_all(arguments[2], WallTime(Seconds(number(3))));
  } else if (command == "verify") {
    verify_all(arguments[2], WallTime(Seconds(number(3))));
  } else {
    return false;
  }
  return true;
}

}  // namespace
}  // namespace waxwing

int main(int argc, char** argv) {
  std::ios::sync_with_stdio(false);
  if (waxwing::run({argv, argv + argc})) return 0;
  std::fputs("usage: own_peer generate COUNT SEED | keys FOLDER | sign|seal|verify FOLDER NOW\n", stderr);
  return 64;
}
