// Replies of a server are read the same however they are cut, and hold nothing that could harm a log.

#include <algorithm>
#include <cstdint>
#include <string>

#include "tests/fuzz/finding.h"
#include "tests/fuzz/octet_source.h"
#include "transport/smtp/reply.h"

using namespace waxwing;
using fuzz::require;

namespace {

void check(const SmtpReply& reply) {
  require(reply.code >= 200 && reply.code <= 599, "a code is in its range");
  require(reply.enhanced_code.empty() || reply.enhanced_code[0] - '0' == reply.code / 100,
          "an enhanced code is of the class of its code");
  require(!reply.lines.empty() && reply.lines.size() <= kMaxReplyLines, "lines are counted");
  for (const std::string& line : reply.lines) {
    require(line.size() <= kMaxReplyTextOctets, "a line is not too long");
    require(std::all_of(line.begin(), line.end(), [](char c) { return c >= ' ' && c < 0x7F; }), "text is printable");
  }
  require(reply.str().size() <= kMaxReplyTextOctets, "the short form is short");
}

/// All that a reader makes of a stream, in words.
class Reading {
 public:
  void feed(std::string_view octets) {
    if (!usable_) return;
    const auto fed = reader_.feed(octets);
    while (const auto reply = reader_.next()) {
      check(*reply);
      words_ += reply->str() + "\n" + std::to_string(reply->lines.size()) + "\n";
    }
    if (fed) return;
    usable_ = false;
    words_ += "refused";
  }
  [[nodiscard]] const std::string& words() const { return words_; }
  [[nodiscard]] bool usable() const { return usable_; }

 private:
  SmtpReplyReader reader_;
  std::string words_;
  bool usable_ = true;
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* octets, std::size_t size) {
  fuzz::OctetSource source(octets, size);
  const std::uint8_t chunk_seed = source.octet();
  const std::string_view stream = source.rest();
  Reading lines;  // cut where a server would, so that the limit of waiting replies does not come into it
  for (std::string_view rest = stream; !rest.empty();) {
    const std::size_t end = rest.find('\n');
    const std::string_view line = rest.substr(0, end == std::string_view::npos ? end : end + 1);
    lines.feed(line);
    rest.remove_prefix(line.size());
  }
  Reading pieces;
  fuzz::in_chunks(stream, chunk_seed, [&](std::string_view chunk) { pieces.feed(chunk); });
  require(lines.words() == pieces.words(), "chunks do not change replies");
  return 0;
}
