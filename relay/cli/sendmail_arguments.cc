#include "relay/cli/sendmail_arguments.h"

#include <fmt/format.h>

#include <string_view>

#include "policy/ascii.h"
#include "policy/delivery_notice.h"
#include "relay/observe/escape.h"

namespace waxwing {
namespace {

// Options whose value may stand in the next word.
constexpr std::string_view kWithValue = "AbBCdDFfhLNOopRrVX";
// Options whose value, where there is one, stands in the same word.
constexpr std::string_view kJoinedValue = "bdeopqi";

class Reader {
 public:
  explicit Reader(const std::vector<std::string>& words) : words_(words) {}

  tl::expected<SendmailArguments, std::string> read() {
    bool options = true;
    while (at_ < words_.size() && wrong_.empty()) {
      const std::string& word = words_[at_++];
      if (options && word == "--") {
        options = false;
      } else if (options && word.size() > 1 && word.front() == '-') {
        read_word(word);
      } else {
        result_.recipients.push_back(word);
      }
    }
    if (!wrong_.empty()) return tl::unexpected(wrong_);
    return result_;
  }

 private:
  // One word of options: letters without a value may stand together, as in -it.
  void read_word(const std::string& word) {
    for (std::size_t i = 1; i < word.size() && wrong_.empty(); ++i) {
      const char letter = word[i];
      std::string value = word.substr(i + 1);
      if (kWithValue.find(letter) == std::string_view::npos && kJoinedValue.find(letter) == std::string_view::npos) {
        flag(letter);
        continue;
      }
      if (letter == 'i') {  // -i alone, also before other letters
        flag(letter);
        continue;
      }
      const bool separate = value.empty() && kJoinedValue.find(letter) == std::string_view::npos;
      if (separate) {
        if (at_ == words_.size()) return refuse(fmt::format("option -{} needs a value", letter));
        value = words_[at_++];
      }
      return option(letter, value);
    }
  }

  void flag(char letter) {
    switch (letter) {
      case 't':
        result_.recipients_from_header = true;
        return;
      case 'i':
        result_.dot_ends = false;
        return;
      case 'v':
      case 'm':
      case 'n':
      case 'U':
      case 'G':
      case 's':
        return;
      default:
        refuse(fmt::format("there is no option -{}", printable(std::string(1, letter))));
    }
  }

  void option(char letter, const std::string& value) {
    switch (letter) {
      case 'b':
        return mode(value);
      case 'f':
      case 'r':
        result_.sender = value == "<>" ? "" : value;
        return;
      case 'F':
        result_.full_name = value;
        return;
      case 'B':
        result_.body_8bit = ascii_iequal(value, "8BITMIME");
        if (!result_.body_8bit && !ascii_iequal(value, "7BIT")) refuse("-B is 7BIT or 8BITMIME");
        return;
      case 'N':
        result_.notify = value;
        if (!NotifyWish::parse(value)) refuse("-N is never, or a list of success, failure and delay");
        return;
      case 'R':
        result_.returned_content = value;
        if (!ascii_iequal(value, "full") && !ascii_iequal(value, "hdrs")) refuse("-R is full or hdrs");
        return;
      case 'V':
        result_.envelope_id = value;
        if (!is_envelope_id(value)) refuse("-V is xtext of at most 100 characters");
        return;
      case 'o':
        if (value == "i") result_.dot_ends = false;
        return;
      case 'O':
        if (ascii_iequal(value.substr(0, value.find('=')), "IgnoreDots")) result_.dot_ends = false;
        return;
      case 'q':
        result_.mode = SendmailArguments::Mode::Nothing;
        return;
      default:
        return;
    }
  }

  void mode(const std::string& value) {
    if (value == "m")
      result_.mode = SendmailArguments::Mode::Submit;
    else if (value == "s")
      result_.mode = SendmailArguments::Mode::Dialogue;
    else if (value == "p")
      result_.mode = SendmailArguments::Mode::ListQueue;
    else if (value == "i")
      result_.mode = SendmailArguments::Mode::Nothing;
    else
      refuse(fmt::format("-b{} is nothing that this sendmail does; waxwingd is the daemon", printable(value)));
  }

  void refuse(std::string why) { wrong_ = std::move(why); }

  const std::vector<std::string>& words_;
  std::size_t at_ = 0;
  SendmailArguments result_;
  std::string wrong_;
};

}  // namespace

tl::expected<SendmailArguments, std::string> parse_sendmail_arguments(const std::string& program,
                                                                      const std::vector<std::string>& words) {
  auto arguments = Reader(words).read();
  if (!arguments) return arguments;
  if (program == "mailq") arguments->mode = SendmailArguments::Mode::ListQueue;
  if (program == "newaliases") arguments->mode = SendmailArguments::Mode::Nothing;
  return arguments;
}

}  // namespace waxwing
