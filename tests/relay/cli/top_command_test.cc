#include "relay/cli/top_command.h"

#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>
#include <sstream>
#include <string>

#include "tests/relay/cli/scripted_relay.h"

using namespace waxwing;
using Json = nlohmann::json;

namespace {

Json overview() {
  return {{"time", "2026-11-26T12:00:00Z"},
          {"recipients", 1'234},
          {"active", 7},
          {"held", 3},
          {"accepted_per_second", 12.34},
          {"delivered_per_second", 11.0},
          {"deferred_per_second", 0.5},
          {"returned_per_second", 0.0},
          {"destinations",
           {{{"domain", "slow.example"},
             {"recipients", 1'000},
             {"active", 0},
             {"limit", 0},
             {"paused_until", "2026-11-26T12:10:00Z"},
             {"reason", "no route"}},
            {{"domain", "busy.example"},
             {"recipients", 200},
             {"active", 5},
             {"limit", 5},
             {"paused_until", nullptr},
             {"reason", ""}},
            {{"domain", "fine.example"},
             {"recipients", 34},
             {"active", 2},
             {"limit", 20},
             {"paused_until", nullptr},
             {"reason", "said \x1b[31mred\nagain"}}}},
          {"tenants",
           {{{"tenant", "shop"}, {"recipients", 1'200}, {"active", 6}},
            {{"tenant", ""}, {"recipients", 34}, {"active", 1}}}}};
}

std::size_t lines_in(const std::string& text) {
  return static_cast<std::size_t>(std::count(text.begin(), text.end(), '\n'));
}

}  // namespace

TEST_CASE("the view tells totals, rates, and what holds the heaviest domains back") {
  const std::string view = top_view(overview(), {200, 100});
  CHECK_THAT(view,
             Catch::StartsWith("2026-11-26T12:00:00Z   waiting 1234   under way 7   held 3\n"
                               "messages in 12.3/s   recipients delivered 11.0/s, deferred 0.5/s, returned 0.0/s\n"));
  CHECK_THAT(view, Catch::Contains("slow.example  paused until 2026-11-26T12:10:00Z: no route\n"));
  CHECK_THAT(view, Catch::Contains("busy.example  at its limit\n"));
  CHECK_THAT(view, Catch::Contains("shop\n") && Catch::Contains("(the relay itself)\n"));
}

TEST_CASE("nothing that a stranger said steers the terminal, and nothing is larger than it") {
  const std::string view = top_view(overview(), {60, 8});
  CHECK(lines_in(view) == 8);
  std::istringstream lines(view);
  for (std::string line; std::getline(lines, line);) CHECK(line.size() <= 60);
  const std::string whole = top_view(overview(), {200, 100});
  CHECK_THAT(whole, Catch::Contains("said \\x1b[31mred\\x0aagain"));
  CHECK(whole.find('\x1b') == std::string::npos);
  CHECK_NOTHROW(top_view(overview(), {1, 1}));
  for (const Json& strange : {Json(nullptr), Json(5), Json{{"destinations", 7}, {"tenants", "x"}},
                              Json{{"destinations", {1, nullptr}}, {"tenants", {Json::array()}}}})
    CHECK_NOTHROW(top_view(strange, {80, 24}));
}

TEST_CASE("once, it is printed as any answer is, for people or as JSON") {
  ScriptedRelay relay(std::vector<Json>{overview()});
  Output text(OutputFormat::Text);
  REQUIRE(show_top(relay.asker(), text));
  CHECK_THAT(text.text(), Catch::Contains("slow.example  paused until"));
  Output json(OutputFormat::Json);
  REQUIRE(show_top(relay.asker(), json));
  CHECK(Json::parse(json.text())["held"] == 3);
  CHECK(relay.requests[0] == Json{{"command", "top"}, {"rows", 20}});
  ScriptedRelay silent(std::vector<Json>{});
  CHECK(show_top(silent.asker(), text).error().kind == ErrorKind::Malformed);
}

TEST_CASE("on a terminal each view stands in the place of the one before, until asking fails or the terminal goes") {
  ScriptedRelay relay(std::vector<Json>{overview()});
  std::istringstream in;
  std::ostringstream out;
  std::ostringstream err;
  int views = 0;
  const auto size = [] { return TerminalSize{40, 10}; };
  REQUIRE(watch_top(relay.asker(), size, [&views] { return ++views < 3; }, {in, out, err}));
  CHECK(views == 3);
  const std::string text = out.str();
  CHECK(text.starts_with("\x1b[H\x1b[2J"));
  CHECK(lines_in(text) == 27);
  out.setstate(std::ios::badbit);
  REQUIRE(watch_top(relay.asker(), size, [] { return true; }, {in, out, err}));
  ScriptedRelay gone(Error{ErrorKind::Unavailable, "no waxwingd runs"});
  out.clear();
  CHECK(watch_top(gone.asker(), size, [] { return true; }, {in, out, err}).error().kind == ErrorKind::Unavailable);
}
