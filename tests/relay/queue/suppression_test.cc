#include "relay/queue/suppression.h"

#include <catch2/catch.hpp>

using namespace waxwing;

TEST_CASE("codes that speak of the mailbox make it bad, others do not") {
  for (const char* status : {"5.1.1", "5.1.3", "5.1.6", "5.1.10", "5.2.1"}) CHECK(is_bad_mailbox(status));
  for (const char* status : {"5.0.0", "5.1.0", "5.1.2", "5.2.2", "5.7.1", "4.1.1", "5.1.11", "5.1.100", "", "2.1.5"})
    CHECK_FALSE(is_bad_mailbox(status));
}

TEST_CASE("the sentence about a suppressed address says since when, until when and why") {
  const WallTime day = std::chrono::sys_days(std::chrono::year(2026) / 11 / 26);
  Suppression suppression{"shop", MailAddress::parse("bob@far.example").value(), "he asked", day,
                          day + Seconds(86'400)};
  CHECK(suppression_sentence(suppression) ==
        "bob@far.example is suppressed since 2026-11-26 until 2026-11-27: he asked");
  suppression.until = kNoSuppressionEnd;
  CHECK(suppression_sentence(suppression) == "bob@far.example is suppressed since 2026-11-26: he asked");
}
