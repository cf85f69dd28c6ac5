#pragma once

#include <random>
#include <string>
#include <vector>

namespace waxwing {

/// Messages of every shape that canonicalisation cares about.
class MessageGenerator {
 public:
  explicit MessageGenerator(unsigned seed) : random_(seed) {}

  std::string next() {
    std::string message = "From: " + fold(author()) + "\r\n";
    const std::size_t fields = pick(14);
    for (std::size_t i = 0; i < fields; ++i) message += field() + "\r\n";
    message += "\r\n";
    const std::size_t lines = pick(5) == 0 ? 0 : pick(25);
    for (std::size_t i = 0; i < lines; ++i) message += line() + "\r\n";
    for (std::size_t i = pick(4); i > 0; --i) message += blank(pick(2) * pick(3)) + "\r\n";
    return message;
  }

 private:
  std::size_t pick(std::size_t below) { return random_() % below; }

  /// Mostly ASCII; some as SMTPUTF8 allows (RFC 6532).
  std::string author() {
    return pick(6) == 0 ? "S\xc3\xa9nder <s\xc3\xa9nder@b\xc3\xbc"
                          "cher.example>"
                        : "Sender <sender@sender.example>";
  }

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

  std::mt19937 random_;
};

}  // namespace waxwing
