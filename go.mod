module github.com/ksdispatch/ksdispatch

go 1.26
