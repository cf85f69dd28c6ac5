#pragma once

#include <optional>
#include <string>
#include <tl/expected.hpp>
#include <vector>

namespace waxwing {

/// The command line of sendmail(8), as far as callers in the field use it.
struct SendmailArguments {
  enum class Mode {
    Submit,     ///< -bm: the message is on the standard input
    Dialogue,   ///< -bs: SMTP on standard input and output
    ListQueue,  ///< -bp, mailq
    Nothing,    ///< -bi, newaliases, -q: what other programs need is no work here
  };
  Mode mode = Mode::Submit;
  std::optional<std::string> sender{};  ///< -f, -r; empty: the null reverse-path
  std::string full_name{};              ///< -F
  bool recipients_from_header = false;  ///< -t
  bool dot_ends = true;                 ///< without -i and -oi
  bool body_8bit = false;               ///< -B8BITMIME
  std::string notify{};                 ///< -N
  std::string returned_content{};       ///< -R: FULL or HDRS
  std::string envelope_id{};            ///< -V
  std::vector<std::string> recipients{};
};

/// Reads the options. Those that mean something to Sendmail alone (-O…, -o…, -v, -m, -U, -G, -h, -L, -C, -X, -d) are
/// passed over.
/// @param program  name under which it was called: sendmail, mailq, newaliases
/// @return  or a sentence that tells what cannot be done
[[nodiscard]] tl::expected<SendmailArguments, std::string> parse_sendmail_arguments(
    const std::string& program, const std::vector<std::string>& words);

}  // namespace waxwing
