package main

import (
	"log"
	"net/smtp"
	"os"
)

func main() {
	host := os.Getenv("HOST")
	auth := smtp.PlainAuth("", os.Getenv("SMTP_USER"), os.Getenv("PASSWORD"), host)
	err := smtp.SendMail(host+":"+os.Getenv("PORT"), auth, os.Getenv("SENDER"), []string{os.Getenv("RECIPIENT")},
		[]byte(os.Getenv("MESSAGE")))
	if err != nil {
		log.Fatal(err)
	}
}
