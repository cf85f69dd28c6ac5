#include "signer/srs.h"

#include <catch2/catch.hpp>
#include <chrono>
#include <string>

#include "policy/ascii.h"

namespace waxwing {
namespace {

const WallTime kNow{Milliseconds{1'769'860'800'000}};
constexpr auto kDay = std::chrono::hours(24);

SenderRewriter rewriter(std::string_view domain = "relay.example", std::vector<std::string> texts = {"first secret"}) {
  std::vector<Secret> secrets;
  for (const std::string& text : texts) secrets.emplace_back(text);
  return {DomainName::parse(domain).value(), std::move(secrets)};
}

MailAddress address(std::string_view text) {
  return MailAddress::parse(text).value();
}

MailAddress rewritten(const SenderRewriter& srs, std::string_view sender, WallTime now = kNow) {
  const auto result = srs.rewrite(address(sender), now);
  INFO((result ? std::string() : result.error().detail));
  REQUIRE(result);
  REQUIRE(MailAddress::parse(result->str()) == *result);
  return *result;
}

std::string restored(const SenderRewriter& srs, const MailAddress& recipient, WallTime now = kNow) {
  const auto result = srs.restore(recipient, now);
  INFO((result ? std::string() : result.error().detail));
  REQUIRE(result);
  return result->str();
}

ErrorKind error(const SenderRewriter& srs, std::string_view recipient, WallTime now = kNow) {
  const auto result = srs.restore(address(recipient), now);
  REQUIRE_FALSE(result);
  return result.error().kind;
}

TEST_CASE("a rewritten sender is in our domain, names the sender, and leads back to it") {
  const SenderRewriter srs = rewriter();
  for (const std::string sender :
       {"ann@sender.example", "Ann.Smith+tag@sender.example", "a=b=c@sender.example", "\"a b\"@sender.example",
        "\"q\\\"q\"@sender.example", "\"\\\"ann\\\"\"@sender.example", "bounce-1-a=b.example@s.example"}) {
    CAPTURE(sender);
    const MailAddress forwarded = rewritten(srs, sender);
    CHECK(forwarded.domain.str() == "relay.example");
    CHECK(forwarded.local_part.find("SRS0=") <= 1);
    CHECK(restored(srs, forwarded) == sender);
  }
  CHECK(rewritten(srs, "ann@sender.example").local_part.ends_with("=sender.example=ann"));
}

TEST_CASE("a sender that only looks as if it had been rewritten twice is rewritten as any other") {
  const SenderRewriter srs = rewriter();
  for (const std::string sender : {"SRS1=AA=x`y==C=D=z=bob@other.example", "SRS1=AA=x.==C=D=z=bob@other.example",
                                   "SRS1=AA==CC@other.example", "SRS1=AA@other.example"}) {
    CAPTURE(sender);
    const MailAddress forwarded = rewritten(srs, sender);
    CHECK(ascii_istarts_with(forwarded.local_part, "SRS0="));
    CHECK(restored(srs, forwarded) == sender);
  }
}

TEST_CASE("a sender of our domain stays as it is") {
  CHECK(rewritten(rewriter(), "ann@relay.example").str() == "ann@relay.example");
}

TEST_CASE("what changes the case of an address does not keep a bounce from its way") {
  const SenderRewriter srs = rewriter();
  const MailAddress forwarded = rewritten(srs, "ann@sender.example");
  std::string upper = forwarded.local_part;
  for (char& c : upper) c = static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
  CHECK(restored(srs, address(upper + "@relay.example")) == "ANN@sender.example");
  CHECK(restored(srs, address(ascii_lower(forwarded.local_part) + "@relay.example")) == "ann@sender.example");
}

TEST_CASE("no octet of a rewritten sender can be changed") {
  const SenderRewriter srs = rewriter();
  const std::string text = rewritten(srs, "ann@sender.example").local_part;
  for (std::size_t i = 5; i < text.size(); ++i) {
    std::string changed = text;
    changed[i] = changed[i] == 'x' ? 'y' : 'x';
    CAPTURE(changed);
    const auto result = srs.restore(address(changed + "@relay.example"), kNow);
    CHECK_FALSE(result);
  }
  CHECK(error(srs, "SRS0=aaaaaaaa=aa=sender.example=ann@relay.example") == ErrorKind::Denied);
  CHECK(error(srs, "SRS0==aa=sender.example=ann@relay.example") == ErrorKind::Denied);
  CHECK(error(srs, "SRS1=aaaaaaaa=other.example==x=y=z@relay.example") == ErrorKind::Denied);
}

TEST_CASE("a rewritten sender is believed for its lifetime, across the end of the count of days") {
  const SenderRewriter srs = rewriter();
  for (const int start : {0, 500, 1'023}) {
    const WallTime made{std::chrono::days(20'480 + start)};  // 20,480 is a multiple of 1,024
    const MailAddress forwarded = rewritten(srs, "ann@sender.example", made);
    CHECK(restored(srs, forwarded, made + kSrsLifetimeDays * kDay) == "ann@sender.example");
    CHECK(error(srs, forwarded.str(), made + (kSrsLifetimeDays + 1) * kDay) == ErrorKind::Denied);
    CHECK(error(srs, forwarded.str(), made - kDay) == ErrorKind::Denied);
  }
}

TEST_CASE("a new secret makes new codes, and old ones are believed as long as their secret is there") {
  const MailAddress old = rewritten(rewriter("relay.example", {"old"}), "ann@sender.example");
  const SenderRewriter both = rewriter("relay.example", {"new", "old"});
  CHECK(restored(both, old) == "ann@sender.example");
  CHECK(rewritten(both, "ann@sender.example") != old);
  CHECK(error(rewriter("relay.example", {"new"}), old.str()) == ErrorKind::Denied);
}

TEST_CASE("a sender that was rewritten elsewhere keeps its length, however often it is forwarded") {
  const SenderRewriter first = rewriter("one.example", {"one"});
  const SenderRewriter second = rewriter("two.example", {"two"});
  const SenderRewriter third = rewriter("three.example", {"three"});
  const MailAddress once = rewritten(first, "ann@s.example");
  const MailAddress twice = rewritten(second, once.str());
  CHECK(twice.local_part.starts_with("SRS1="));
  const MailAddress thrice = rewritten(third, twice.str());
  CHECK(thrice.local_part.size() == twice.local_part.size());
  // A bounce skips the forwarders between.
  CHECK(restored(third, thrice) == once.str());
  CHECK(restored(second, twice) == once.str());
  CHECK(restored(first, once) == "ann@s.example");
}

TEST_CASE("other forwarders' separators are kept") {
  const SenderRewriter srs = rewriter();
  CHECK(restored(srs, rewritten(srs, "SRS0+ab=cd=s.example=ann@o.example")) == "SRS0+ab=cd=s.example=ann@o.example");
  CHECK(restored(srs, rewritten(srs, "srs0-ab=cd=s.example=ann@o.example")) == "SRS0-ab=cd=s.example=ann@o.example");
}

TEST_CASE("addresses that only look like it are ordinary ones") {
  const SenderRewriter srs = rewriter();
  for (const std::string sender : {"SRS0@s.example", "SRS01=x@s.example", "SRS1=x@s.example", "srs@s.example"}) {
    CAPTURE(sender);
    const MailAddress forwarded = rewritten(srs, sender);
    CHECK(forwarded.local_part.starts_with("SRS0="));
    CHECK(restored(srs, forwarded) == sender);
  }
  CHECK(error(srs, "ann@relay.example") == ErrorKind::NotFound);
  CHECK(error(srs, "SRS0@relay.example") == ErrorKind::NotFound);
  CHECK(error(srs, "SRS0=a=b=c=d@other.example") == ErrorKind::NotFound);
}

TEST_CASE("a local part that would be too long is refused") {
  const auto result = rewriter().rewrite(address(std::string(40, 'a') + "@sender.example"), kNow);
  REQUIRE_FALSE(result);
  CHECK(result.error().kind == ErrorKind::Exhausted);
}

}  // namespace
}  // namespace waxwing
