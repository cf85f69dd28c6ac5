#pragma once

#include <string>
#include <string_view>

#include "policy/result.h"

namespace waxwing {

/// Puts message content into the form in which it follows DATA: a dot before each line that begins with one, and at the
/// end exactly one "." line. Content that does not end in CRLF gets one. A CR or LF alone is refused: what one server
/// takes for text, the next takes for the end of a line, and so for the end of the message ("SMTP smuggling"). Octets
/// over 127 pass unchanged; whether they may go is decided before DATA.
/// @source  RFC 5321 §4.5.2 and §2.3.8
class DataEncoder {
 public:
  enum class Form {
    Data,   ///< dots are stuffed, and a lone one is the end
    Chunk,  ///< as it is: its length says where it ends (RFC 3030 §2)
  };
  explicit DataEncoder(Form form = Form::Data) : form_(form) {}

  /// Appends the encoded form of the next piece, cut anywhere, to `out`.
  /// @errors  Malformed: a CR or LF alone; nothing may follow, and what was appended must not be completed
  [[nodiscard]] Result<void> append(std::string_view content, std::string& out);

  /// Appends what ends the data.
  /// @errors  Malformed: the content ended in a CR alone
  [[nodiscard]] Result<void> finish(std::string& out);

 private:
  Form form_;
  bool at_line_start_ = true;
  bool after_cr_ = false;
};

}  // namespace waxwing
