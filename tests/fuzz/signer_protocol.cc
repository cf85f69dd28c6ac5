// A connection to the signer answers the same however its octets are cut, only with frames that a client can read, one
// for each request and one for the end; it signs nothing but a DKIM signature in its key's own name, by an author of its
// domain. What can be read as an answer can be written again.
//
// Input: an octet that says how to cut, then what a client sends, and to the client.

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "keys/signing_key.h"
#include "policy/ascii.h"
#include "signer/mailbox_list.h"
#include "signer/service/signing_session.h"
#include "tests/fuzz/finding.h"
#include "tests/fuzz/octet_source.h"
#include "tests/keys/rfc8463_keys.h"

using namespace waxwing;
using fuzz::require;

namespace {

constexpr MonotonicTime kNow{Milliseconds(1'000'000)};

std::vector<StoredKey> make_keys() {
  auto key = SigningKey::from_pem(test::kRfc8463Ed25519).value();
  return {{DomainName::parse("sender.example").value(), "s1", std::make_shared<const SigningKey>(std::move(key)),
           WallTime{}}};
}

std::string all_answers(SigningSession& session) {
  std::string answers;
  while (const auto answer = session.next(kNow)) answers += *answer;
  return answers;
}

std::string converse(std::string_view octets, std::uint8_t seed) {
  static const std::vector<StoredKey> kKeys = make_keys();
  SigningService service({});
  service.set_keys(kKeys);
  SigningSession session(service);
  std::string answers;
  fuzz::in_chunks(octets, seed, [&](std::string_view chunk) {
    session.append(chunk);
    answers += all_answers(session);
  });
  return answers;
}

void require_signable(const SignRequest& request) {
  require(request.domain.str() == "sender.example" && request.selector == "s1", "a key signs in its own name");
  const std::size_t field = request.octets.rfind("\r\n");
  require(field != std::string::npos && request.octets.compare(field + 2, 15, "dkim-signature:") == 0,
          "what is signed ends in a DKIM signature");
  require(request.octets.find("d=sender.example") != std::string::npos, "it names the domain of the key");
  const std::string lines = "\r\n" + ascii_lower(request.octets.substr(0, field)) + "\r\n";
  const std::size_t from = lines.find("\r\nfrom:");
  require(from != std::string::npos && lines.find("\r\nfrom:", from + 1) == std::string::npos, "it covers one From");
  const std::size_t begin = from + 7;
  const auto authors = parse_mailbox_list(std::string_view(lines).substr(begin, lines.find("\r\n", begin) - begin));
  require(authors.has_value() && !authors->empty(), "its From can be read");
  for (const MailAddress& author : *authors)
    require(author.domain.is_within(request.domain), "its author is of that domain");
}

// Each request and its answer, as far as requests can be read.
void check_pairs(std::string_view octets, std::string_view answers) {
  FrameReader asked;
  FrameReader answered;
  asked.append(octets);
  answered.append(answers);
  while (true) {
    const auto answer_frame = answered.next();
    require(answer_frame.has_value(), "answers are frames");
    if (!*answer_frame) return;
    const auto answer = decode_answer(**answer_frame);
    require(answer.has_value(), "answers can be read");
    const auto frame = asked.next();
    if (!frame) return;
    require(frame->has_value(), "nothing is answered that was not asked");
    const auto request = decode_request(**frame);
    if (!request) return;
    require(encode_request(request->id, request->content).substr(4) == **frame, "there is one spelling of a request");
    require(answer->id == request->id, "answers come in the order of the requests");
    if (std::holds_alternative<SignatureAnswer>(answer->content))
      require_signable(std::get<SignRequest>(request->content));
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* octets, std::size_t size) {
  fuzz::OctetSource source(octets, size);
  const std::uint8_t seed = source.octet();
  const std::string_view sent = source.rest();
  const std::string answers = converse(sent, 255);
  require(converse(sent, seed) == answers, "how octets are cut does not matter");
  check_pairs(sent, answers);
  FrameReader reader;
  reader.append(sent);
  while (true) {
    const auto frame = reader.next();
    if (!frame || !*frame) break;
    const auto answer = decode_answer(**frame);
    if (!answer) break;
    require(encode_answer(answer->id, answer->content).substr(4) == **frame, "there is one spelling of an answer");
  }
  return 0;
}
