#include "relay/observe/event_log.h"

#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>
#include <thread>

#include "relay/observe/escape.h"
#include "relay/observe/timestamp.h"

namespace waxwing {
namespace {

using Format = EventLog::Format;

// 2026-01-31T12:00:00.007Z
constexpr WallTime kNow{Milliseconds(1'769'860'800'007)};

// Keeps each write(2) apart as one datagram.
class Wire {
 public:
  Wire() { REQUIRE(::socketpair(AF_UNIX, SOCK_DGRAM, 0, ends_.data()) == 0); }
  ~Wire() {
    ::close(ends_[0]);
    ::close(ends_[1]);
  }
  [[nodiscard]] int writer() const { return ends_[0]; }
  [[nodiscard]] std::string next_write() const {
    std::array<char, 10'000> buffer{};
    const auto size = ::recv(ends_[1], buffer.data(), buffer.size(), MSG_DONTWAIT);
    return size < 0 ? std::string() : std::string(buffer.data(), static_cast<std::size_t>(size));
  }

 private:
  std::array<int, 2> ends_{};
};

TEST_CASE("an event is one line of text, with quotes only around values that need them") {
  CHECK(format_event(Format::Text, kNow, Severity::Info, "message_accepted",
                     {{"id", std::string_view("0ABC")},
                      {"size_octets", std::int64_t{-12}},
                      {"tls", true},
                      {"reason", std::string_view("said \"no\"")},
                      {"account", std::string_view("")}}) ==
        "2026-01-31T12:00:00.007Z info message_accepted id=0ABC size_octets=-12 tls=true reason=\"said \\\"no\\\"\" "
        "account=\"\"\n");
}

TEST_CASE("an event is one line of JSON") {
  const std::string line =
      format_event(Format::Json, kNow, Severity::Warning, "delivery_deferred",
                   {{"id", std::string_view("0ABC")}, {"attempts", std::int64_t{3}}, {"final", false}});
  CHECK(
      line ==
      "{\"time\":\"2026-01-31T12:00:00.007Z\",\"severity\":\"warning\",\"event\":\"delivery_deferred\",\"id\":\"0ABC\","
      "\"attempts\":3,\"final\":false}\n");
  CHECK(nlohmann::json::accept(line));
}

TEST_CASE("a value cannot forge a line or a field") {
  const std::string_view attack = "x\n2026-01-31T12:00:00.000Z info login_accepted account=root\r\" id=1\u2028FAKELOG";
  const std::string text = format_event(Format::Text, kNow, Severity::Info, "e", {{"helo", attack}});
  CHECK(std::ranges::count(text, '\n') == 1);
  CHECK(text.ends_with('\n'));
  CHECK(text.find('\r') == std::string::npos);
  CHECK(text.find("\u2028") == std::string::npos);
  CHECK(text.find("\\\" id=1") != std::string::npos);
  const std::string json = format_event(Format::Json, kNow, Severity::Info, "e", {{"helo", attack}});
  CHECK(std::ranges::count(json, '\n') == 1);
  CHECK(nlohmann::json::parse(json).at("helo") == attack);
  CHECK(nlohmann::json::parse(json).size() == 4);
}

TEST_CASE("a value that looks like two fields is quoted") {
  CHECK(format_event(Format::Text, kNow, Severity::Info, "e", {{"helo", std::string_view("a=b")}})
            .ends_with(" helo=\"a=b\"\n"));
}

TEST_CASE("a value over 1,024 octets is cut and marked") {
  const std::string long_value(1'025, 'a');
  const std::string line =
      format_event(Format::Text, kNow, Severity::Info, "e", {{"reason", std::string_view(long_value)}});
  CHECK(line.size() < 1'100);
  CHECK(line.find(kCutMark) != std::string::npos);
}

TEST_CASE("a line never exceeds what a pipe keeps whole, and says when fields were left out") {
  const std::string megabyte(1'000'000, '\x1b');
  const std::string_view value = megabyte;
  for (const auto format : {Format::Text, Format::Json}) {
    const std::string line = format_event(format, kNow, Severity::Info, "e",
                                          {{"a", value}, {"b", value}, {"c", value}, {"d", value}, {"f", value}});
    CHECK(line.size() <= EventLog::kMaxLineOctets);
    CHECK(line.find("fields_cut") != std::string::npos);
    CHECK(line.ends_with('\n'));
    if (format == Format::Json) CHECK(nlohmann::json::accept(line));
  }
}

TEST_CASE("each event is one write, and events below the least severity are none") {
  const Wire wire;
  const EventLog log(Format::Text, Severity::Info, wire.writer(), [] { return kNow; });
  log.write(Severity::Debug, "hidden", {});
  log.write(Severity::Info, "first", {});
  log.write(Severity::Error, "second", {{"a", std::string_view("b c")}});
  CHECK(wire.next_write() == "2026-01-31T12:00:00.007Z info first\n");
  CHECK(wire.next_write() == "2026-01-31T12:00:00.007Z error second a=\"b c\"\n");
  CHECK(wire.next_write().empty());
}

TEST_CASE("lines of several threads do not mix") {
  std::array<int, 2> ends{};
  REQUIRE(::pipe(ends.data()) == 0);
  const EventLog log(Format::Json, Severity::Info, ends[1], [] { return kNow; });
  std::string read;
  std::thread reader([&] {
    std::array<char, 777> buffer{};
    for (ssize_t size = 0; (size = ::read(ends[0], buffer.data(), buffer.size())) > 0;) {
      read.append(buffer.data(), static_cast<std::size_t>(size));
    }
  });
  std::vector<std::thread> writers;
  for (int i = 0; i < 4; ++i) {
    writers.emplace_back([&log] {
      const std::string value(1'000, 'v');
      for (int n = 0; n < 200; ++n) {
        log.write(Severity::Info, "e", {{"a", std::string_view(value)}, {"b", std::string_view(value)}});
      }
    });
  }
  for (auto& writer : writers) writer.join();
  ::close(ends[1]);
  reader.join();
  ::close(ends[0]);
  std::size_t lines = 0;
  for (std::size_t at = 0; at < read.size(); ++lines) {
    const std::size_t end = read.find('\n', at);
    REQUIRE(end != std::string::npos);
    REQUIRE(nlohmann::json::accept(read.substr(at, end - at)));
    at = end + 1;
  }
  CHECK(lines == 800);
}

TEST_CASE("timestamps hold before 1970 and at the end of a second") {
  CHECK(format_timestamp(WallTime(Milliseconds(-1))) == "1969-12-31T23:59:59.999Z");
  CHECK(format_timestamp(WallTime(Milliseconds(951'782'400'000))) == "2000-02-29T00:00:00.000Z");
}

}  // namespace
}  // namespace waxwing
