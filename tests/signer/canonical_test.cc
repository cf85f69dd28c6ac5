#include "signer/canonical.h"

#include <catch2/catch.hpp>
#include <random>
#include <string>
#include <vector>

#include "signer/space_scan.h"

namespace waxwing {
namespace {

class StringSink : public OctetSink {
 public:
  void put(std::string_view octets) override {
    largest_ = std::max(largest_, octets.size());
    text_ += octets;
  }
  [[nodiscard]] const std::string& text() const { return text_; }
  [[nodiscard]] std::size_t largest() const { return largest_; }

 private:
  std::string text_;
  std::size_t largest_ = 0;
};

std::string canonical_field(std::string_view raw, Canonicalization form) {
  std::string out;
  append_canonical_field(raw, form, out);
  return out;
}

std::string canonical_body(const std::vector<std::string>& chunks, Canonicalization form) {
  BodyCanonicalizer canonicalizer(form);
  StringSink sink;
  for (const std::string& chunk : chunks) canonicalizer.update(chunk, sink);
  canonicalizer.finish(sink);
  return sink.text();
}

std::string relaxed(const std::string& body) {
  return canonical_body({body}, Canonicalization::Relaxed);
}
std::string simple(const std::string& body) {
  return canonical_body({body}, Canonicalization::Simple);
}

/// The rules of RFC 6376 §3.4.3 and §3.4.4 in the plainest way, one step after the other over the whole body.
std::string reference(std::string body, Canonicalization form) {
  if (form == Canonicalization::Relaxed) {
    std::string reduced;
    for (std::size_t i = 0; i < body.size();) {
      const std::size_t end = std::min(body.find_first_not_of(" \t", i), body.size());
      const bool drops = end == body.size() || body.compare(end, 2, "\r\n") == 0;
      if (end > i && !drops) reduced += ' ';
      if (end < body.size()) reduced += body[end];
      i = end + 1;
    }
    body = reduced;
  }
  while (body.ends_with("\r\n")) body.resize(body.size() - 2);
  if (!body.empty() || form == Canonicalization::Simple) body += "\r\n";
  return body;
}

TEST_CASE("header fields of the RFC's example", "[canonical]") {  // RFC 6376 §3.4.5
  CHECK(canonical_field("A: X\r\n", Canonicalization::Relaxed) == "a:X\r\n");
  CHECK(canonical_field("B : Y\t\r\n\tZ  \r\n", Canonicalization::Relaxed) == "b:Y Z\r\n");
  CHECK(canonical_field("A: X\r\n", Canonicalization::Simple) == "A: X\r\n");
  CHECK(canonical_field("B : Y\t\r\n\tZ  \r\n", Canonicalization::Simple) == "B : Y\t\r\n\tZ  \r\n");
}

TEST_CASE("bodies of the RFC's example", "[canonical]") {  // RFC 6376 §3.4.5
  CHECK(relaxed(" C \r\nD \t E\r\n\r\n\r\n") == " C\r\nD E\r\n");
  CHECK(simple(" C \r\nD \t E\r\n\r\n\r\n") == " C \r\nD \t E\r\n");
}

TEST_CASE("relaxed header fields lose folds and outer white space only", "[canonical]") {
  CHECK(canonical_field("SUBJect\t :\r\n  a\r\n \r\n \tb \t\r\n", Canonicalization::Relaxed) == "subject:a b\r\n");
  CHECK(canonical_field("X:\r\n", Canonicalization::Relaxed) == "x:\r\n");
  CHECK(canonical_field("X: \r\n \r\n", Canonicalization::Relaxed) == "x:\r\n");
  CHECK(canonical_field("X:a:b : c\r\n", Canonicalization::Relaxed) == "x:a:b : c\r\n");
  CHECK(canonical_field("X: \xc3\x84\xff\r\n", Canonicalization::Relaxed) == "x:\xc3\x84\xff\r\n");
}

TEST_CASE("a field without its line end gets one", "[canonical]") {
  CHECK(canonical_field("X: b=", Canonicalization::Relaxed) == "x:b=\r\n");
  CHECK(canonical_field("X: b=", Canonicalization::Simple) == "X: b=\r\n");
}

TEST_CASE("an empty body is empty when relaxed and one line end when simple", "[canonical]") {
  for (const std::string body : {"", "\r\n", "\r\n\r\n\r\n"}) {
    CHECK(relaxed(body).empty());
    CHECK(simple(body) == "\r\n");
  }
  CHECK(relaxed(" \r\n\t\r\n").empty());
  CHECK(simple(" \r\n\t\r\n") == " \r\n\t\r\n");
}

TEST_CASE("a body without final line end gets one", "[canonical]") {
  CHECK(relaxed("a") == "a\r\n");
  CHECK(simple("a") == "a\r\n");
  CHECK(relaxed("a ") == "a\r\n");
  CHECK(relaxed("a\r") == "a\r\r\n");
}

TEST_CASE("a CR or LF of its own is content", "[canonical]") {
  CHECK(relaxed("a\rb\nc \r d\r\n") == "a\rb\nc \r d\r\n");
  CHECK(relaxed("a\r\r\n\r\n") == "a\r\r\n");
  CHECK(simple("\r\r\n\n\r\n") == "\r\r\n\n\r\n");
}

TEST_CASE("the canonical body does not depend on where it is cut", "[canonical]") {
  const auto form = GENERATE(Canonicalization::Simple, Canonicalization::Relaxed);
  const std::string body = " \ta \t\r\n\r\n\r\r\n b\tc\r \r\n \r\n  d\n e\r\n\r\n \r\n\r";
  const std::string expected = reference(body, form);
  CHECK(canonical_body({body}, form) == expected);
  for (std::size_t first = 0; first <= body.size(); ++first) {
    for (std::size_t second = first; second <= body.size(); ++second) {
      const std::vector<std::string> chunks{body.substr(0, first), body.substr(first, second - first),
                                            body.substr(second)};
      REQUIRE(canonical_body(chunks, form) == expected);
    }
  }
  std::vector<std::string> octets;
  for (const char c : body) octets.emplace_back(1, c);
  CHECK(canonical_body(octets, form) == expected);
}

TEST_CASE("random bodies in random chunks become what the plain rules say", "[canonical]") {
  std::mt19937 random(6376);  // NOLINT: a fixed seed
  const std::string alphabet = " \t\r\nab";
  for (int round = 0; round < 3'000; ++round) {
    std::string body;
    const std::size_t pieces = random() % 40;
    for (std::size_t i = 0; i < pieces; ++i) {
      switch (random() % 4) {
        case 0:
          body += "\r\n";
          break;
        case 1:
          body += std::string(random() % 30, 'x');
          break;
        default:
          body += alphabet[random() % alphabet.size()];
      }
    }
    std::vector<std::string> chunks;
    for (std::size_t at = 0; at < body.size();) {
      const std::size_t octets = 1 + random() % 24;
      chunks.push_back(body.substr(at, octets));
      at += octets;
    }
    for (const auto form : {Canonicalization::Simple, Canonicalization::Relaxed}) {
      REQUIRE(canonical_body(chunks, form) == reference(body, form));
    }
  }
}

TEST_CASE("large bodies pass through in pieces", "[canonical]") {
  std::string body;
  for (int i = 0; i < 3'000; ++i)
    body += std::string(static_cast<std::size_t>(i % 97), 'x') + "  y\t\r\n" + (i % 7 == 0 ? "\r\n" : "");
  for (const auto form : {Canonicalization::Simple, Canonicalization::Relaxed}) {
    CHECK(canonical_body({body}, form) == reference(body, form));
  }
}

TEST_CASE("line ends at the edge of a slice stay whole", "[canonical]") {
  for (std::size_t before = 4'080; before < 4'110; ++before) {
    for (const std::string edge : {"\r\n", " \r\n", "\r", "\r\r\n", "\r\n\r\n", "  ", " \t\r\n\r\n \r\n", "\n"}) {
      const std::string body = "\t" + std::string(before, 'x') + edge + "end \r\n";
      for (std::size_t cut : {std::size_t{0}, before, before + 1, before + 2, body.size()}) {
        REQUIRE(canonical_body({body.substr(0, cut), body.substr(cut)}, Canonicalization::Relaxed) ==
                reference(body, Canonicalization::Relaxed));
      }
      REQUIRE(relaxed("\t" + std::string(before, 'x') + edge) ==
              reference("\t" + std::string(before, 'x') + edge, Canonicalization::Relaxed));
    }
  }
}

TEST_CASE("empty lines are counted, not kept", "[canonical]") {
  BodyCanonicalizer canonicalizer(Canonicalization::Relaxed);
  StringSink sink;
  std::string chunk;
  for (int i = 0; i < 100'000; ++i) chunk += "\r\n";
  canonicalizer.update("a", sink);
  for (int i = 0; i < 20; ++i) canonicalizer.update(chunk, sink);
  CHECK(sink.text().empty());
  canonicalizer.update("b", sink);
  canonicalizer.finish(sink);
  CHECK(sink.text().size() == 1 + 20 * chunk.size() + 3);
  CHECK(sink.largest() <= 4'096);
}

TEST_CASE("reducible space is found at every distance", "[space_scan]") {
  for (std::size_t before = 0; before < 40; ++before) {
    for (std::size_t after = 0; after < 20; ++after) {
      const std::string head(before, 'x');
      const std::string tail(after, 'y');
      CHECK(find_reducible_space(head + "\t" + tail) == before);
      CHECK(find_reducible_space(head + "  " + tail) == before);
      CHECK(find_reducible_space(head + " \t" + tail) == before);
      CHECK(find_reducible_space(head + " \r" + tail) == before);
      CHECK(find_reducible_space(head + " z" + tail) == before + 2 + after);
      CHECK(find_reducible_space(head + "\r\n" + tail) == before + 2 + after);
      // Octets that differ from white space in one bit, or in the highest.
      CHECK(find_reducible_space(head + "\xa0\x89!\x08\x0b\xff\x21" + tail) == before + 7 + after);
    }
    CHECK(find_reducible_space(std::string(before, 'x') + " ") == before);
  }
}

}  // namespace
}  // namespace waxwing
