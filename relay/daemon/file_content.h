#pragma once

#include <string>
#include <string_view>

namespace waxwing {

/// Turns a message as files hold it into one as SMTP carries it: a lone LF becomes CRLF, and a "From " line that a
/// mailbox has before the header goes. Octets may be cut anywhere.
class FileContent {
 public:
  /// @return  the octets, valid until the next call
  [[nodiscard]] std::string_view convert(std::string_view chunk);

  /// The end of the file.
  /// @return  what was still kept back
  [[nodiscard]] std::string_view finish();

 private:
  enum class Place { Start, MailboxLine, Message };
  void put(std::string_view octets);

  Place place_ = Place::Start;
  std::string start_;  ///< of the first line, until it can be told what it is
  std::string out_;
  char last_ = 0;
};

}  // namespace waxwing
